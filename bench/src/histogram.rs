//! A histogram of durations: fixed size, one addition a sample, within 1.6 % of the truth.

use std::time::Duration;

/// Buckets for each power of two: the more, the finer.
const FINE: u64 = 64;
const FINE_BITS: u32 = FINE.trailing_zeros();
/// Up to 2^36 ns, over a minute; what is longer counts as that.
const POWERS: u32 = 36;
const BUCKETS: usize = ((POWERS - FINE_BITS + 1) as usize) * FINE as usize;

/// Counts of durations.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest_ns: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            buckets: vec![0; BUCKETS],
            count: 0,
            longest_ns: 0,
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(ns)] += 1;
        self.count += 1;
        self.longest_ns = self.longest_ns.max(ns);
    }

    /// Takes in what another has counted.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }

    /// Samples.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest sample, exactly.
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest_ns)
    }

    /// The duration that `share` (0 to 1) of the samples do not exceed; zero without samples.
    pub fn quantile(&self, share: f64) -> Duration {
        // A share of a count of samples is far within what an f64 holds exactly.
        let rank = ((self.count as f64) * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= rank {
                return Duration::from_nanos(upper_end(index).min(self.longest_ns));
            }
        }
        Duration::ZERO
    }
}

fn bucket_of(ns: u64) -> usize {
    let ns = ns.min((1 << POWERS) - 1);
    let power = (u64::BITS - ns.leading_zeros()).saturating_sub(FINE_BITS + 1);
    // Below 2 * FINE each nanosecond has its own bucket; above, the top bits choose.
    (u64::from(power) * FINE + (ns >> power)) as usize
}

/// The longest duration that counts into a bucket.
fn upper_end(index: usize) -> u64 {
    let index = index as u64;
    let power = (index / FINE).saturating_sub(1);
    let top = index - power * FINE;
    ((top + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_falls_into_a_bucket_that_ends_close_above_it() {
        let mut ns = 1u64;
        while ns < 1 << POWERS {
            let end = upper_end(bucket_of(ns));
            assert!(end >= ns, "{ns} is above its bucket's end {end}");
            assert!(
                (end - ns) as f64 <= ns as f64 / 60.0,
                "{ns} is far from {end}"
            );
            ns += ns / 7 + 1;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_samples() {
        let mut histogram = Histogram::default();
        for ms in 1..=1_000 {
            histogram.record(Duration::from_millis(ms));
        }
        let near = |share: f64, ms: f64| {
            let got = histogram.quantile(share).as_secs_f64() * 1e3;
            assert!(
                (got - ms).abs() <= ms * 0.017,
                "{share}: {got} is not near {ms}"
            );
        };
        near(0.5, 500.0);
        near(0.99, 990.0);
        near(0.999, 999.0);
        assert_eq!(histogram.quantile(1.0), Duration::from_millis(1_000));
        assert_eq!(histogram.longest(), Duration::from_millis(1_000));
    }

    #[test]
    fn no_sample_is_too_long_or_too_short() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::from_secs(86_400));
        assert_eq!(histogram.count(), 2);
        assert_eq!(histogram.longest(), Duration::from_secs(86_400));
        assert_eq!(Histogram::default().quantile(0.99), Duration::ZERO);
    }

    #[test]
    fn merged_histograms_are_the_histogram_of_all_samples() {
        let mut left = Histogram::default();
        let mut right = Histogram::default();
        left.record(Duration::from_micros(10));
        right.record(Duration::from_micros(30));
        left.merge(&right);
        assert_eq!(left.count(), 2);
        assert_eq!(left.quantile(1.0), Duration::from_micros(30));
        assert!(left.quantile(0.5) < Duration::from_micros(11));
    }
}
