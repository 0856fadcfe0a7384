//! A point in a history: a life of the data, and an event of it.

use usher_core::ledger::{EventNumber, Incarnation};

use crate::tables::lives::Life;

/// A point in a history: just after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPoint {
    /// The life of the data.
    pub incarnation: Incarnation,
    /// The number of the event.
    pub event: EventNumber,
}

/// A point that a history does not have: in an unknown life, or after the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHere;

/// The last point of this history up to a given one: the same, or the last one of its life that the
/// next life has kept.
pub(crate) fn place(
    lives: &[Life],
    point: HistoryPoint,
    head_event: u64,
) -> Result<HistoryPoint, NotHere> {
    let is_it = |life: &Life| life.incarnation == point.incarnation;
    let place = lives.iter().rposition(is_it).ok_or(NotHere)?;
    match lives.get(place + 1) {
        Some(next) => {
            let end = end_of(lives[place], *next);
            Ok(if end.event < point.event { end } else { point })
        }
        None if point.event.0 > head_event => Err(NotHere),
        None => Ok(point),
    }
}

/// The last point of a life that the next life has kept.
pub(super) fn end_of(life: Life, next: Life) -> HistoryPoint {
    HistoryPoint {
        incarnation: life.incarnation,
        event: EventNumber(next.began.saturating_sub(1)),
    }
}

/// The point of an event in the life that the event belongs to.
pub(super) fn at(lives: &[Life], event: u64) -> HistoryPoint {
    let of = lives.iter().rfind(|life| life.began <= event);
    HistoryPoint {
        incarnation: of.map_or(Incarnation(0), |life| life.incarnation),
        event: EventNumber(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(incarnation: u32, event: u64) -> HistoryPoint {
        HistoryPoint {
            incarnation: Incarnation(incarnation),
            event: EventNumber(event),
        }
    }

    #[test]
    fn what_a_restore_has_left_behind_is_no_part_of_the_history() {
        let life = |began, incarnation| Life {
            began,
            incarnation: Incarnation(incarnation),
        };
        let lives = [life(0, 7), life(101, 8), life(151, 9)];
        for (asked, placed) in [
            (point(7, 80), Ok(point(7, 80))),
            (point(7, 100), Ok(point(7, 100))),
            (point(7, 120), Ok(point(7, 100))),
            (point(8, 140), Ok(point(8, 140))),
            (point(8, 170), Ok(point(8, 150))),
            (point(9, 200), Ok(point(9, 200))),
            (point(9, 201), Err(NotHere)),
            (point(5, 10), Err(NotHere)),
        ] {
            assert_eq!(place(&lives, asked, 200), placed, "{asked:?}");
        }
        assert_eq!(at(&lives, 100), point(7, 100));
        assert_eq!(at(&lives, 101), point(8, 101));
        assert_eq!(at(&lives, 151), point(9, 151));
    }
}
