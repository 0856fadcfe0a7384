//! Which parts of a time come from packed days, and which from what these are made of.

use super::hours::HOURS_OF_DAY;
use super::quarter::{DAY_MS, QUARTERS_OF_DAY, QUARTERS_OF_HOUR, begin_of};

/// What is taken next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Quarters by their numbers: the first and the last.
    Quarters(i64, i64),
    /// A day that is packed, by its number.
    Day(i64),
    /// An hour of one, by the day's number and the hour's beginning.
    Hour(i64, i64),
}

/// The parts between the quarters of these numbers, both included. `packed` are the numbers of days, in
/// their order. One that is not whole is left to its hours, and an hour that is not to its quarters.
pub(super) fn parts(
    (first, last): (i64, i64),
    packed: impl Iterator<Item = i64>,
    is_whole: impl Fn(i64, i64) -> bool,
) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut next = first;
    for day in packed {
        let begin = day.saturating_mul(QUARTERS_OF_DAY);
        let end = begin.saturating_add(QUARTERS_OF_DAY);
        let (from_ms, to_ms) = (begin_of(begin), begin_of(end));
        if begin >= next && end <= last.saturating_add(1) && is_whole(from_ms, to_ms) {
            if next < begin {
                parts.push(Part::Quarters(next, begin - 1));
            }
            parts.push(Part::Day(day));
            next = end;
            continue;
        }
        for hour in 0..HOURS_OF_DAY {
            let quarter = begin.saturating_add(hour * QUARTERS_OF_HOUR);
            let end = quarter.saturating_add(QUARTERS_OF_HOUR);
            let (from_ms, to_ms) = (begin_of(quarter), begin_of(end));
            if quarter < next || end > last.saturating_add(1) || !is_whole(from_ms, to_ms) {
                continue;
            }
            if next < quarter {
                parts.push(Part::Quarters(next, quarter - 1));
            }
            parts.push(Part::Hour(day, from_ms));
            next = end;
        }
    }
    if next <= last {
        parts.push(Part::Quarters(next, last));
    }
    parts
}

/// From which instants to which, of a time, no day is packed. `packed` are the numbers of days, in their
/// order.
pub(crate) fn not_packed(time: (i64, i64), packed: &[i64]) -> Vec<(i64, i64)> {
    let span = |day: &i64| {
        (
            day.saturating_mul(DAY_MS),
            day.saturating_add(1).saturating_mul(DAY_MS),
        )
    };
    gaps(packed.iter().map(span), time)
}

/// What of a time is in none of the spans, which are in the order of their beginnings.
pub(super) fn gaps(
    spans: impl IntoIterator<Item = (i64, i64)>,
    (from_ms, to_ms): (i64, i64),
) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut next_ms = from_ms;
    for (begin_ms, end_ms) in spans {
        let until_ms = begin_ms.min(to_ms);
        if next_ms < until_ms {
            gaps.push((next_ms, until_ms));
        }
        next_ms = next_ms.max(end_ms);
    }
    if next_ms < to_ms {
        gaps.push((next_ms, to_ms));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::super::hours::HOUR_MS;
    use super::*;

    #[test]
    fn what_is_not_packed_is_between_the_packed_days() {
        let all = (-5, 3 * DAY_MS + 7);
        assert_eq!(not_packed(all, &[]), [all]);
        let rest = [(-5, 0), (DAY_MS, 2 * DAY_MS), (3 * DAY_MS, 3 * DAY_MS + 7)];
        assert_eq!(not_packed(all, &[0, 2]), rest);
        assert_eq!(not_packed(all, &[-1, 0, 1, 2, 3]), []);
        assert_eq!(not_packed((9, 9), &[0]), []);
    }

    #[test]
    fn hours_that_are_whole_come_from_their_day_and_the_rest_are_quarters() {
        let of = |whole: &[i64]| {
            let is_whole =
                |from_ms, to_ms| to_ms - from_ms == HOUR_MS && whole.contains(&(from_ms / HOUR_MS));
            parts((2, 10), [0].into_iter(), is_whole)
        };
        // The first and the last hour are not all there.
        let hour = Part::Hour(0, HOUR_MS);
        let expected = [Part::Quarters(2, 3), hour, Part::Quarters(8, 10)];
        assert_eq!(of(&[0, 1, 2]), expected);
        assert_eq!(of(&[0, 2]), [Part::Quarters(2, 10)]);
        assert_eq!(parts((4, 7), [0].into_iter(), |_, _| true), [hour]);
        assert_eq!(
            parts((4, 7), [1].into_iter(), |_, _| true),
            [Part::Quarters(4, 7)]
        );
        let is_second = |from_ms, to_ms| (from_ms, to_ms) == (DAY_MS, 2 * DAY_MS);
        let two = parts((90, 200), [0, 1].into_iter(), is_second);
        let rest = Part::Quarters(192, 200);
        assert_eq!(two, [Part::Quarters(90, 95), Part::Day(1), rest]);
    }
}
