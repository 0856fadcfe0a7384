//! Several rows that are one use: sessions that share a lease.

use super::edge::Span;

/// One use made of its rows: it lasts while any of them does, and holds as many seats as the
/// largest of them. It is one use for as long as it lasts without a break, and another after it.
/// The order of the rows does not matter, nor that some are told twice.
pub(super) fn united(rows: &[Span]) -> Vec<Span> {
    let seats = rows.iter().map(|row| row.seats).max().unwrap_or(0);
    let mut long: Vec<Span> = Vec::new();
    let mut sorted: Vec<Span> = rows.iter().map(|row| Span { seats, ..*row }).collect();
    sorted.sort_unstable();
    for row in sorted.iter().filter(|row| !row.is_instant()) {
        match long.last_mut() {
            Some(last) if row.from_ms <= last.until_ms => {
                last.until_ms = last.until_ms.max(row.until_ms);
            }
            _ => long.push(*row),
        }
    }
    let mut instants: Vec<Span> = Vec::new();
    for row in sorted.iter().filter(|row| row.is_instant()) {
        let began = long.partition_point(|span| span.from_ms <= row.from_ms);
        let before = began.checked_sub(1).and_then(|place| long.get(place));
        let is_within = before.is_some_and(|span| row.from_ms < span.until_ms);
        let is_told = instants
            .last()
            .is_some_and(|last| last.from_ms == row.from_ms);
        if !is_within && !is_told {
            instants.push(*row);
        }
    }
    long.extend(instants);
    long
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(i64, i64, u32)]) -> Vec<(i64, i64, u32)> {
        let span = |(from_ms, until_ms, seats): &(i64, i64, u32)| Span {
            from_ms: *from_ms,
            until_ms: *until_ms,
            seats: *seats,
        };
        let rows: Vec<Span> = rows.iter().map(span).collect();
        let spans = united(&rows).into_iter();
        spans
            .map(|it| (it.from_ms, it.until_ms, it.seats))
            .collect()
    }

    #[test]
    fn rows_that_touch_or_overlap_are_one_use_of_the_most_seats() {
        assert_eq!(of(&[(10, 20, 1), (0, 10, 3), (5, 7, 2)]), [(0, 20, 3)]);
        assert_eq!(of(&[(0, 10, 1), (0, 10, 1)]), [(0, 10, 1)]);
    }

    #[test]
    fn a_use_that_pauses_is_another_when_it_goes_on() {
        assert_eq!(of(&[(0, 10, 1), (11, 20, 1)]), [(0, 10, 1), (11, 20, 1)]);
    }

    #[test]
    fn a_row_of_no_length_counts_where_the_use_does_not_last_anyway() {
        assert_eq!(of(&[(0, 10, 1), (0, 0, 1), (9, 9, 1)]), [(0, 10, 1)]);
        assert_eq!(of(&[(0, 10, 1), (10, 10, 1)]), [(0, 10, 1), (10, 10, 1)]);
        assert_eq!(of(&[(7, 7, 1), (7, 7, 2)]), [(7, 7, 2)]);
        assert_eq!(of(&[(0, 10, 1), (10, 10, 1), (10, 12, 1)]), [(0, 12, 1)]);
    }
}
