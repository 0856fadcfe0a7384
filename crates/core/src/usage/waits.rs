//! How long people waited for a seat.

/// Waits, by how long they lasted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Waits {
    /// How many there were.
    pub count: u64,
    /// Half of them lasted no longer, in seconds; 0 if there were none, as all of these.
    pub p50_seconds: f64,
    /// 95 % of them lasted no longer, in seconds.
    pub p95_seconds: f64,
    /// The longest, in seconds.
    pub longest_seconds: f64,
}

impl Waits {
    /// Of their lengths in milliseconds, in any order. A percentile is the length of one of them
    /// (nearest rank).
    pub fn of(mut lengths_ms: Vec<u64>) -> Waits {
        lengths_ms.sort_unstable();
        let seconds = |ms: Option<&u64>| ms.map_or(0.0, |ms| *ms as f64 / 1_000.0);
        let rank = |percent: usize| {
            let place = lengths_ms.len().saturating_mul(percent).div_ceil(100);
            seconds(lengths_ms.get(place.saturating_sub(1)))
        };
        Waits {
            count: lengths_ms.len() as u64,
            p50_seconds: rank(50),
            p95_seconds: rank(95),
            longest_seconds: seconds(lengths_ms.last()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_length_of_a_wait() {
        let waits = Waits::of((1..=20).rev().map(|seconds| seconds * 1_000).collect());
        let figures = (waits.p50_seconds, waits.p95_seconds, waits.longest_seconds);
        assert_eq!((waits.count, figures), (20, (10.0, 19.0, 20.0)));
        let one = Waits::of(vec![1_500]);
        assert_eq!((one.p50_seconds, one.p95_seconds), (1.5, 1.5));
        assert_eq!(Waits::of(Vec::new()), Waits::default());
    }
}
