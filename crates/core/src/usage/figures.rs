//! What `GET /v1/usage` answers of a product: one item for each bucket.

use std::sync::Arc;

use jiff::Timestamp;

use super::account::{Account, Counted, Quantity};
use super::buckets::Bucket;
use super::denials::{Denials, Judged, provisional_from_ms};
use super::distinct::{distinct, overlapped};
use super::edge::Span;
use super::gaps::Gaps;
use super::stretch::{Stretch, stretches};
use super::timeline::Timeline;
use super::waits::Waits;
use super::when::timestamp;

/// The figures of a product in a bucket. A use counts in each bucket that it overlaps; a refusal
/// and a wait count in the one in which they began.
#[derive(Debug, Clone, PartialEq)]
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

/// Each quantity in each bucket. One that is shorter than there are buckets has nothing in the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Leases and what runs unseated; checkouts if another licence server counts.
    pub wanted: Vec<Stretch>,
    /// Sessions.
    pub running: Vec<Stretch>,
    /// Sessions without a seat.
    pub unseated: Vec<Stretch>,
    /// Seats reserved.
    pub reserved: Vec<Stretch>,
    /// Seats owned.
    pub owned: Vec<Stretch>,
}

/// Who had a use in each bucket, and for how long it was touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Different people.
    pub users: Vec<u64>,
    /// Different computers.
    pub computers: Vec<u64>,
    /// Milliseconds in which somebody touched the program; none if that is not recorded.
    pub active_ms: Vec<Option<u64>>,
}

/// The items of `buckets`, which are in order and do not overlap, also of those in which nothing
/// was in use.
pub fn usage(account: &Account, buckets: &[Bucket], beside: &Beside<'_>) -> Vec<UsageItem> {
    let of = |line: &Timeline| stretches(line, buckets, beside.now_ms, beside.gaps);
    let lines = Lines {
        wanted: of(account.wanted()),
        running: of(account.line(Quantity::Running)),
        unseated: of(account.line(Quantity::Unseated)),
        reserved: of(account.line(Quantity::Reserved)),
        owned: of(account.line(Quantity::Owned)),
    };
    let who = who(account, buckets, beside.now_ms);
    items(account.counted(), buckets, &lines, &who, beside)
}

/// The items of `buckets` from what was found of each quantity in them.
pub fn items(
    counted: Counted,
    buckets: &[Bucket],
    lines: &Lines,
    who: &Who,
    beside: &Beside<'_>,
) -> Vec<UsageItem> {
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
    let each = buckets.iter().zip(denials).zip(waits).enumerate();
    each.map(|(place, ((bucket, denials), waits))| UsageItem {
        waits: Waits::of(waits),
        denials,
        users: at(&who.users, place),
        computers: at(&who.computers, place),
        active_seconds: at(&who.active_ms, place).map(|ms| seconds(u128::from(ms))),
        ..item(counted, (place, *bucket), lines, beside)
    })
    .collect()
}

fn at<T: Copy + Default>(of: &[T], place: usize) -> T {
    of.get(place).copied().unwrap_or_default()
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

/// What the lines say of a bucket.
fn item(
    counted: Counted,
    (place, bucket): (usize, Bucket),
    lines: &Lines,
    beside: &Beside<'_>,
) -> UsageItem {
    let (wanted, unseated) = (lines.wanted.get(place), lines.unseated.get(place));
    let running = lines.running.get(place);
    let sessions = match counted {
        Counted::Here => running,
        Counted::Elsewhere => wanted,
    };
    let peak = |line: Option<&Stretch>| line.map_or((0, None), Stretch::peak);
    let (most, most_at_ms) = peak(wanted);
    let to_ms = bucket.to_ms.min(beside.now_ms);
    let unobserved_ms = beside.gaps.unobserved_ms(bucket.from_ms, to_ms);
    UsageItem {
        product: beside.product.clone(),
        from: timestamp(bucket.from_ms),
        to: timestamp(bucket.to_ms),
        sessions: sessions.map_or(0, Stretch::uses),
        users: 0,
        computers: 0,
        open_seconds: sessions.map_or(0.0, |line| seconds(line.use_ms())),
        active_seconds: None,
        peak: most,
        peak_at: most_at_ms.map(timestamp),
        running_peak: peak(running).0,
        p95: wanted.map_or(0, |line| line.tally.p95()),
        mean: wanted.map_or(0.0, |line| line.tally.mean()),
        owned: peak(lines.owned.get(place)).0,
        reserved: peak(lines.reserved.get(place)).0,
        unseated_sessions: unseated.map_or(0, Stretch::uses),
        waits: Waits::default(),
        denials: Denials::default(),
        unobserved_seconds: seconds(u128::from(unobserved_ms)),
        counted,
        provisional: bucket.to_ms > provisional_from_ms(beside.known_until_ms),
    }
}

/// What only the rows say, for each bucket.
fn who(account: &Account, buckets: &[Bucket], now_ms: i64) -> Who {
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
    Who {
        users: distinct(buckets, uses().map(|(row, span)| (row.person, span))),
        computers: distinct(buckets, uses().map(|(row, span)| (row.computer, span))),
        active_ms,
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
