//! The answer of a what-if: what each number of seats would have come to, and how far that can be
//! trusted.

use crate::replay::assumptions::assumptions;
use crate::replay::figures::{Figures, median};
use crate::replay::fitness::why_unfit;
use crate::replay::parameters::Parameters;
use crate::replay::wishes::Prepared;

/// From the smallest to the largest of a figure over all draws.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Range<T> {
    /// The smallest.
    pub low: T,
    /// The largest.
    pub high: T,
}

/// What a number of seats would have come to. Each figure is the median of all draws by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SeatsResult {
    /// The number of seats.
    pub seats: u32,
    /// Asks that would have been granted, at once or after a wait.
    pub granted: u64,
    /// Asks that would not have been.
    pub denied: u64,
    /// Share of the asks that would not have been granted, 0 to 1.
    pub denied_share: f64,
    /// That share over all draws.
    pub range: Range<f64>,
    /// How many asks would not have been granted, over all draws.
    pub denied_range: Range<u64>,
    /// Asks that would have waited.
    pub waited: u64,
    /// The wait, in milliseconds, that half of those who waited would not have exceeded; none:
    /// nobody would have waited.
    pub wait_p50_ms: Option<u64>,
    /// The wait, in milliseconds, that 95 of 100 of them would not have exceeded.
    pub wait_p95_ms: Option<u64>,
    /// The longest wait, in milliseconds.
    pub wait_longest_ms: Option<u64>,
    /// The most seats in use at once.
    pub peak: u64,
    /// Asks that would have been granted within the time of the service level; without one, at
    /// once.
    pub in_time: u64,
    /// How many these are over all draws.
    pub in_time_range: Range<u64>,
}

/// The answer of a what-if.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Product id.
    pub product: String,
    /// Asks that were replayed: retries of one person count once.
    pub asks: u64,
    /// How many of them nobody knows the length of.
    pub unknown_lengths: u64,
    /// How often these lengths were drawn; 1 if there are none.
    pub draws: u32,
    /// Whether the recording is fit for a what-if.
    pub fit: bool,
    /// Why it is not; none if it is.
    pub why: Option<String>,
    /// By number of seats, the smallest first.
    pub results: Vec<SeatsResult>,
    /// The smallest number of seats that keeps the service level; none: none of those that were
    /// tried does, or no level was asked for.
    pub smallest_for_service_level: Option<u32>,
    /// What was assumed, a sentence each.
    pub assumptions: Vec<String>,
}

impl Prepared {
    /// How many draws a what-if needs: one if no length is unknown, since then all are the same.
    pub fn draws(&self, parameters: &Parameters) -> u32 {
        match self.unknown {
            0 => 1,
            _ => parameters.draws.max(1),
        }
    }

    /// What a number of seats comes to, from the figures of its draws; none of no draw.
    pub fn result(&self, seats: u32, draws: &[Figures]) -> Option<SeatsResult> {
        let asks = self.asks();
        let share = |denied: u64| match asks {
            0 => 0.0,
            asks => denied as f64 / asks as f64,
        };
        let middle = |of: fn(&Figures) -> u64| median(draws.iter().map(of));
        let wait = |of: fn(&Figures) -> Option<u64>| median(draws.iter().map(of)).flatten();
        let denied = middle(|figures| figures.denied)?;
        let denied_range = range(draws, |figures| figures.denied)?;
        Some(SeatsResult {
            seats,
            granted: asks.saturating_sub(denied),
            denied,
            denied_share: share(denied),
            range: Range {
                low: share(denied_range.low),
                high: share(denied_range.high),
            },
            denied_range,
            waited: middle(|figures| figures.waited)?,
            wait_p50_ms: wait(|figures| figures.wait_p50_ms),
            wait_p95_ms: wait(|figures| figures.wait_p95_ms),
            wait_longest_ms: wait(|figures| figures.wait_longest_ms),
            peak: middle(|figures| figures.peak)?,
            in_time: middle(|figures| figures.in_time)?,
            in_time_range: range(draws, |figures| figures.in_time)?,
        })
    }

    /// The answer that these results give, which may be some of those that were asked for: results
    /// can be shown as they come.
    pub fn answer(&self, parameters: &Parameters, mut results: Vec<SeatsResult>) -> Answer {
        results.sort_by_key(|result| result.seats);
        let why = why_unfit(self);
        let asks = self.asks();
        let smallest_for_service_level = parameters.service_level.and_then(|level| {
            let keeps = |result: &&SeatsResult| level.is_kept(result.in_time, asks);
            results.iter().find(keeps).map(|result| result.seats)
        });
        Answer {
            product: self.product.clone(),
            asks,
            unknown_lengths: self.unknown,
            draws: self.draws(parameters),
            fit: why.is_none(),
            why,
            results,
            smallest_for_service_level,
            assumptions: assumptions(self, parameters),
        }
    }
}

fn range(draws: &[Figures], of: fn(&Figures) -> u64) -> Option<Range<u64>> {
    Some(Range {
        low: draws.iter().map(of).min()?,
        high: draws.iter().map(of).max()?,
    })
}
