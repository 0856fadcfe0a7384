//! When seats come back, in one number each: a replay takes half of its time to keep them in order, and
//! one comparison of numbers is less than that of three fields.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Seats that come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// When: Unix milliseconds.
    pub(super) at_ms: i64,
    pub(super) seats: u32,
    /// Of which wish; none: of a use that ran at the beginning.
    pub(super) wish: Option<u32>,
}

/// All that are out, the earliest first; of one instant, the fewest seats first, then by wish.
#[derive(Debug, Default)]
pub(super) struct Ends(BinaryHeap<Reverse<u128>>);

impl Ends {
    pub(super) fn push(&mut self, end: End) {
        self.0.push(Reverse(packed(end)));
    }

    /// The next one.
    pub(super) fn peek(&self) -> Option<End> {
        self.0.peek().map(|Reverse(number)| unpacked(*number))
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// All, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = End> {
        self.0.iter().map(|Reverse(number)| unpacked(*number))
    }
}

/// Greater instants are greater numbers, those before 1970 as well. No wish comes before the first.
fn packed(end: End) -> u128 {
    let instant = end.at_ms.cast_unsigned() ^ (1 << 63);
    let wish = end.wish.map_or(0, |wish| wish.saturating_add(1));
    u128::from(instant) << 64 | u128::from(end.seats) << 32 | u128::from(wish)
}

fn unpacked(number: u128) -> End {
    let instant = (number >> 64) as u64;
    End {
        at_ms: (instant ^ (1 << 63)).cast_signed(),
        seats: (number >> 32) as u32,
        wish: (number as u32).checked_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end() -> impl Strategy<Value = (i64, u32, Option<u32>)> {
        let instant = prop_oneof![any::<i64>(), -2_i64..2];
        (instant, 0..3_u32, proptest::option::of(0..u32::MAX))
    }

    proptest! {
        #[test]
        fn seats_come_back_in_the_order_of_instant_seats_and_wish(mut all in proptest::collection::vec(end(), 0..50)) {
            let mut ends = Ends::default();
            for (at_ms, seats, wish) in &all {
                ends.push(End { at_ms: *at_ms, seats: *seats, wish: *wish });
            }
            all.sort_unstable();
            for expected in all {
                let next = ends.peek().map(|end| (end.at_ms, end.seats, end.wish));
                prop_assert_eq!(next, Some(expected));
                ends.pop();
            }
            prop_assert_eq!(ends.peek(), None);
        }
    }
}
