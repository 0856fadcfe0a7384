//! What `GET /v1/usage` answers of a product: one item for each bucket.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::{Account, Counted, Quantity};
use super::buckets::Bucket;
use super::denials::{Denials, Judged, provisional_from_ms};
use super::distinct::{distinct, overlapped};
use super::edge::Span;
use super::gaps::Gaps;
use super::node::{Level, Node};
use super::timeline::Walk;
use super::waits::Waits;
use super::when::timestamp;

/// The figures of a product in a bucket. A use counts in each bucket that it overlaps; a refusal
/// and a wait count in the one in which they began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageItem {
    /// The product's id.
    pub product: Arc<str>,
    /// When the bucket begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// Sessions; checkouts if another licence server counts.
    pub sessions: u64,
    /// Different people.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// How long all sessions lasted in it, together.
    pub open_seconds: f64,
    /// For how long of that somebody touched the program; null if that is not recorded. A session
    /// that reaches over the bucket has in it the same share of its active time as of its length.
    pub active_seconds: Option<f64>,
    /// The most seats at once, of leases and of what ran unseated.
    pub peak: u64,
    /// The first instant of the peak; null if nothing was in use.
    pub peak_at: Option<Timestamp>,
    /// The most sessions at once.
    pub running_peak: u64,
    /// Seats that were not exceeded for 95 % of the observed time.
    pub p95: u64,
    /// Seat seconds by seconds, of the observed time.
    pub mean: f64,
    /// The most seats owned at once.
    pub owned: u64,
    /// The most seats reserved at once.
    pub reserved: u64,
    /// Sessions that ran without a seat for some time.
    pub unseated_sessions: u64,
    /// Waits.
    pub waits: Waits,
    /// Refusals.
    pub denials: Denials,
    /// For how long of it nobody looked, up to now.
    pub unobserved_seconds: f64,
    /// Who counts the product.
    pub counted: Counted,
    /// Whether a refusal of it that counts as final may still turn out satisfied later, because it
    /// reaches to less than 15 minutes before what is known.
    pub provisional: bool,
}

/// A wait for seats of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When it began, in Unix milliseconds.
    pub queued_ms: i64,
    /// When it was over, in Unix milliseconds; `i64::MAX` while it lasts.
    pub until_ms: i64,
}

/// What is known beside the rows of an [`Account`].
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The product's id.
    pub product: &'a Arc<str>,
    /// When nobody looked.
    pub gaps: &'a Gaps,
    /// Refusals of the whole site.
    pub denials: &'a [Judged],
    /// Waits, each once.
    pub waits: &'a [Wait],
    /// What still lasts counts up to here, and nothing counts after it, in Unix milliseconds.
    pub now_ms: i64,
    /// Up to when refusals and grants are known, in Unix milliseconds.
    pub known_until_ms: i64,
}

/// The items of `buckets`, which are in order and do not overlap, also of those in which nothing
/// was in use.
pub fn usage(account: &Account, buckets: &[Bucket], beside: &Beside<'_>) -> Vec<UsageItem> {
    let mut lines = Lines::of(account);
    let rows = Rows::of(account, buckets, beside.now_ms);
    let mut denials = vec![Denials::default(); buckets.len()];
    for judged in beside.denials {
        if let Some(place) = place_of(buckets, judged.at_ms) {
            denials[place].add(judged);
        }
    }
    let mut waits: Vec<Vec<u64>> = vec![Vec::new(); buckets.len()];
    for wait in beside.waits {
        if let Some(place) = place_of(buckets, wait.queued_ms) {
            waits[place].push(waited_ms(*wait, beside.now_ms));
        }
    }
    let each = buckets.iter().zip(denials).zip(waits).zip(rows.each());
    each.map(|(((bucket, denials), waits), rows)| UsageItem {
        waits: Waits::of(waits),
        denials,
        users: rows.users,
        computers: rows.computers,
        active_seconds: rows.active_ms.map(|ms| seconds(u128::from(ms))),
        ..lines.item(account, *bucket, beside)
    })
    .collect()
}

/// The bucket that an instant is in.
fn place_of(buckets: &[Bucket], at_ms: i64) -> Option<usize> {
    let place = buckets.partition_point(|bucket| bucket.to_ms <= at_ms);
    let bucket = buckets.get(place)?;
    (bucket.from_ms <= at_ms).then_some(place)
}

fn waited_ms(wait: Wait, now_ms: i64) -> u64 {
    let until_ms = match wait.until_ms {
        i64::MAX => now_ms,
        until_ms => until_ms,
    };
    match wait.queued_ms < until_ms {
        true => until_ms.abs_diff(wait.queued_ms),
        false => 0,
    }
}

/// The timelines that an item is made of, each from bucket to bucket.
struct Lines<'a> {
    wanted: Walk<'a>,
    running: Walk<'a>,
    sessions: Walk<'a>,
    unseated: Walk<'a>,
    reserved: Walk<'a>,
    owned: Walk<'a>,
}

impl<'a> Lines<'a> {
    fn of(account: &'a Account) -> Lines<'a> {
        let along = |quantity| Walk::along(account.line(quantity));
        Lines {
            wanted: Walk::along(account.wanted()),
            running: along(Quantity::Running),
            sessions: along(account.sessions()),
            unseated: along(Quantity::Unseated),
            reserved: along(Quantity::Reserved),
            owned: along(Quantity::Owned),
        }
    }

    /// All but what is not in the timelines.
    fn item(&mut self, account: &Account, bucket: Bucket, beside: &Beside<'_>) -> UsageItem {
        let (from_ms, to_ms) = (bucket.from_ms, bucket.to_ms.min(beside.now_ms));
        // What is to come has no uses, whatever still lasts.
        let step = |walk: &mut Walk<'_>| match from_ms < to_ms {
            true => walk.step(from_ms, to_ms),
            false => (Level::default(), Node::quiet(from_ms, from_ms)),
        };
        let most = |(opening, node): (Level, Node)| node.peak(opening).0;
        let (opening, wanted) = step(&mut self.wanted);
        let (peak, peak_at_ms) = wanted.peak(opening);
        let timeline = account.wanted();
        let tally = timeline.tally(opening, from_ms, to_ms, beside.gaps);
        let (sessions_before, sessions) = step(&mut self.sessions);
        let (unseated_before, unseated) = step(&mut self.unseated);
        let unobserved_ms = beside.gaps.unobserved_ms(from_ms, to_ms);
        UsageItem {
            product: beside.product.clone(),
            from: timestamp(bucket.from_ms),
            to: timestamp(bucket.to_ms),
            sessions: sessions.uses(sessions_before),
            users: 0,
            computers: 0,
            open_seconds: seconds(sessions.use_ms(sessions_before)),
            active_seconds: None,
            peak,
            peak_at: peak_at_ms.map(timestamp),
            running_peak: most(step(&mut self.running)),
            p95: tally.p95(),
            mean: tally.mean(),
            owned: most(step(&mut self.owned)),
            reserved: most(step(&mut self.reserved)),
            unseated_sessions: unseated.uses(unseated_before),
            waits: Waits::default(),
            denials: Denials::default(),
            unobserved_seconds: seconds(u128::from(unobserved_ms)),
            counted: account.counted(),
            provisional: bucket.to_ms > provisional_from_ms(beside.known_until_ms),
        }
    }
}

/// What only the rows say, for each bucket.
struct Rows {
    users: Vec<u64>,
    computers: Vec<u64>,
    active_ms: Vec<Option<u64>>,
}

struct RowsOfOne {
    users: u64,
    computers: u64,
    active_ms: Option<u64>,
}

impl Rows {
    fn of(account: &Account, buckets: &[Bucket], now_ms: i64) -> Rows {
        let is_use = |quantity: Quantity| match quantity {
            Quantity::InUse | Quantity::Running | Quantity::Unseated => true,
            Quantity::Reserved | Quantity::Waiting | Quantity::Overdraft | Quantity::Owned => false,
        };
        let uses = || {
            let rows = account.rows().filter(move |row| is_use(row.quantity));
            rows.filter_map(move |row| Some((row, row.span.before(now_ms)?)))
        };
        let mut active_ms = vec![None; buckets.len()];
        for (row, span) in uses().filter(|(row, _)| row.quantity == account.sessions()) {
            let Some(row_ms) = row.active_ms else {
                continue;
            };
            let places = overlapped(buckets, span);
            let both = active_ms.iter_mut().zip(buckets);
            for (sum, bucket) in both.take(places.end).skip(places.start) {
                let more = share_ms(row_ms, span, *bucket);
                *sum = Some(sum.unwrap_or(0_u64).saturating_add(more));
            }
        }
        Rows {
            users: distinct(buckets, uses().map(|(row, span)| (row.person, span))),
            computers: distinct(buckets, uses().map(|(row, span)| (row.computer, span))),
            active_ms,
        }
    }

    fn each(self) -> impl Iterator<Item = RowsOfOne> {
        let both = self.users.into_iter().zip(self.computers);
        both.zip(self.active_ms)
            .map(|((users, computers), active_ms)| RowsOfOne {
                users,
                computers,
                active_ms,
            })
    }
}

/// The part of a session's active milliseconds that is in a bucket.
fn share_ms(active_ms: u64, span: Span, bucket: Bucket) -> u64 {
    let all_ms = span.ms_within(span.from_ms, span.until_ms);
    let within_ms = span.ms_within(bucket.from_ms, bucket.to_ms);
    let active_ms = active_ms.min(all_ms);
    let share = u128::from(active_ms) * u128::from(within_ms) / u128::from(all_ms.max(1));
    u64::try_from(share).unwrap_or(active_ms)
}

fn seconds(ms: u128) -> f64 {
    ms as f64 / 1_000.0
}
