//! What came of one replay, and the figure in the middle of several.

/// What came of one replay: one number of seats, one draw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Asks that were granted, at once or after a wait.
    pub granted: u64,
    /// Asks that were refused, or left the queue without a seat, and did not get one by asking
    /// again.
    pub denied: u64,
    /// Asks that waited in the queue, whatever came of it.
    pub waited: u64,
    /// Asks that were granted within the time of the service level after they first came; without
    /// a service level, at once.
    pub in_time: u64,
    /// The wait, in milliseconds, that half of those who waited did not exceed; none: nobody waited.
    pub wait_p50_ms: Option<u64>,
    /// The wait, in milliseconds, that 95 of 100 of those who waited did not exceed.
    pub wait_p95_ms: Option<u64>,
    /// The longest wait, in milliseconds.
    pub wait_longest_ms: Option<u64>,
    /// The most seats in use at once.
    pub peak: u64,
}

/// Of the waits of all who waited, in milliseconds; none if nobody waited.
pub(super) struct Percentiles {
    pub(super) p50_ms: Option<u64>,
    pub(super) p95_ms: Option<u64>,
    pub(super) longest_ms: Option<u64>,
}

impl Percentiles {
    /// Of waits in any order.
    pub(super) fn of(mut waits_ms: Vec<u64>) -> Percentiles {
        Percentiles {
            p50_ms: nearest_rank(&mut waits_ms, 50),
            p95_ms: nearest_rank(&mut waits_ms, 95),
            longest_ms: waits_ms.iter().max().copied(),
        }
    }
}

/// The smallest value that so many of a hundred do not exceed.
fn nearest_rank(values: &mut [u64], percent: usize) -> Option<u64> {
    let rank = values.len().saturating_mul(percent).div_ceil(100);
    let place = rank.max(1) - 1;
    if place >= values.len() {
        return None;
    }
    let (_, value, _) = values.select_nth_unstable(place);
    Some(*value)
}

/// The value in the middle of several; of an even number the lower one of the two. None of none.
pub(super) fn median<T: Ord + Copy>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    let place = values.len().checked_sub(1)? / 2;
    values.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_there() {
        let of = Percentiles::of((1..=100).rev().collect());
        assert_eq!(
            (of.p50_ms, of.p95_ms, of.longest_ms),
            (Some(50), Some(95), Some(100))
        );
        let one = Percentiles::of(vec![7]);
        assert_eq!(
            (one.p50_ms, one.p95_ms, one.longest_ms),
            (Some(7), Some(7), Some(7))
        );
        assert_eq!(Percentiles::of(Vec::new()).p50_ms, None);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_lower_of_the_two_in_the_middle() {
        assert_eq!(median([4, 1, 3, 2]), Some(2));
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median::<u64>([]), None);
    }
}
