//! Products of which few seats have been free for a time, as far as somebody has looked.

use std::collections::BTreeMap;

use super::figures::minute;
use super::kinds::{Concern, Kind};
use super::thresholds::Thresholds;

const MINUTE_MS: i64 = 60_000;
/// From so many seats on, a concern that is open is over only some seats beyond the threshold. With
/// fewer seats, one seat is a large share already.
const SLACK_FROM_SEATS: u64 = 20;
/// How many percent of the seats are beyond the threshold then.
const SLACK_PERCENT: u64 = 5;

/// The seats of a product at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seats<'a> {
    /// The id of the product.
    pub(super) id: &'a str,
    /// Its name for people.
    pub(super) name: &'a str,
    pub(super) seats: u64,
    pub(super) in_use: u64,
}

/// A look at the seats of some products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look<'a> {
    /// Whose seats they are, as messages name it.
    pub(super) whose: &'a str,
    /// When it was, on a clock that runs on from look to look; milliseconds.
    pub(super) clock_ms: i64,
    /// The same for people: Unix milliseconds.
    pub(super) at_ms: i64,
    /// After so many milliseconds without a look, anything may have been meanwhile, and the time
    /// begins again.
    pub(super) unseen_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Low {
    since_clock_ms: i64,
    since_ms: i64,
    seen_clock_ms: i64,
}

/// Since when few seats of each product have been free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lows {
    low: BTreeMap<String, Low>,
}

impl Lows {
    /// Takes the seats of a look; answers of which products few have been free for long enough, and
    /// of which the concern goes on. `is_open` says which are reported already.
    pub(super) fn see<'a>(
        &mut self,
        look: Look<'_>,
        products: impl Iterator<Item = Seats<'a>>,
        at: &Thresholds,
        is_open: &dyn Fn(Kind, &str) -> bool,
    ) -> Vec<Concern> {
        if at.free_minutes == 0 {
            self.low.clear();
            return Vec::new();
        }
        let limit_ms = i64::from(at.free_minutes) * MINUTE_MS;
        let mut before = std::mem::take(&mut self.low);
        let mut concerns = Vec::new();
        for it in products {
            let is_told = is_open(Kind::FewFree, it.id);
            if !is_low(it, at, is_told) {
                continue;
            }
            let seen = before.remove(it.id).filter(|low| {
                let gap_ms = look.clock_ms.saturating_sub(low.seen_clock_ms);
                (0..=look.unseen_ms).contains(&gap_ms)
            });
            let low = Low {
                since_clock_ms: seen.map_or(look.clock_ms, |low| low.since_clock_ms),
                since_ms: seen.map_or(look.at_ms, |low| low.since_ms),
                seen_clock_ms: look.clock_ms,
            };
            self.low.insert(it.id.to_owned(), low);
            let lasted_ms = look.clock_ms.saturating_sub(low.since_clock_ms);
            if is_told || lasted_ms >= limit_ms {
                concerns.push(concern(it, look.whose, low.since_ms));
            }
        }
        concerns
    }
}

fn is_low(it: Seats<'_>, at: &Thresholds, is_told: bool) -> bool {
    let free = it.seats.saturating_sub(it.in_use);
    let has_slack = is_told && it.seats >= SLACK_FROM_SEATS;
    let slack = if has_slack { SLACK_PERCENT } else { 0 };
    let percent = u64::from(at.free_percent).saturating_add(slack);
    let is_share =
        at.free_percent > 0 && free.saturating_mul(100) <= it.seats.saturating_mul(percent);
    let more = it.seats.saturating_mul(slack) / 100;
    let is_number = free <= u64::from(at.free_seats).saturating_add(more);
    // Of nothing nothing is free.
    it.seats > 0 && (is_share || is_number)
}

fn concern(it: Seats<'_>, whose: &str, since_ms: i64) -> Concern {
    Concern {
        kind: Kind::FewFree,
        about: it.id.to_owned(),
        values: vec![
            it.name.to_owned(),
            whose.to_owned(),
            it.seats.saturating_sub(it.in_use).to_string(),
            it.seats.to_string(),
            minute(since_ms),
        ],
    }
}
