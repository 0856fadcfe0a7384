//! Numbered seats. The lowest free ones are taken first, as ranges, because a request may be for
//! many.

use std::collections::BTreeMap;

/// Seats with numbers from `from` to the one before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    from: u64,
    to: u64,
}

impl Range {
    /// Its highest seat; the first seat is 1.
    pub(super) fn highest(self) -> u64 {
        self.to
    }

    fn len(self) -> u64 {
        self.to - self.from
    }
}

/// The seats that are free: those in gaps, and all from `unused` on.
#[derive(Debug, Default)]
pub(super) struct Free {
    /// The free ranges below `unused`, by their first seat.
    gaps: BTreeMap<u64, u64>,
    unused: u64,
}

impl Free {
    /// Takes the lowest `seats` free seats, the lowest first.
    pub(super) fn take(&mut self, seats: u64) -> Vec<Range> {
        let mut taken = Vec::new();
        let mut missing = seats;
        while missing > 0 {
            let Some((from, to)) = self.gaps.pop_first() else {
                let to = self.unused.saturating_add(missing);
                taken.push(Range {
                    from: self.unused,
                    to,
                });
                self.unused = to;
                break;
            };
            let cut = to.min(from.saturating_add(missing));
            if cut < to {
                self.gaps.insert(cut, to);
            }
            taken.push(Range { from, to: cut });
            missing -= cut - from;
        }
        taken
    }

    /// Gives back the highest `seats` of what was taken.
    pub(super) fn give_back(&mut self, taken: &mut Vec<Range>, seats: u64) {
        let mut left = seats;
        while left > 0
            && let Some(mut last) = taken.pop()
        {
            let many = left.min(last.len());
            self.insert(last.to - many, last.to);
            left -= many;
            last.to -= many;
            if last.len() > 0 {
                taken.push(last);
            }
        }
    }

    fn insert(&mut self, mut from: u64, mut to: u64) {
        if let Some(end) = self.gaps.remove(&to) {
            to = end;
        }
        let before = self.gaps.range(..from).next_back();
        if let Some((begin, end)) = before.map(|(begin, end)| (*begin, *end))
            && end == from
        {
            self.gaps.remove(&begin);
            from = begin;
        }
        match to == self.unused {
            true => self.unused = from,
            false => drop(self.gaps.insert(from, to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highest(taken: &[Range]) -> Option<u64> {
        taken.iter().map(|range| range.highest()).max()
    }

    #[test]
    fn the_lowest_free_seats_are_taken_and_the_highest_are_given_back_first() {
        let mut free = Free::default();
        let mut first = free.take(2);
        let mut second = free.take(3);
        assert_eq!((highest(&first), highest(&second)), (Some(2), Some(5)));
        free.give_back(&mut first, 1);
        assert_eq!(highest(&first), Some(1));
        let third = free.take(2);
        assert_eq!(highest(&third), Some(6), "seats 2 and 6");
        free.give_back(&mut second, 3);
        assert_eq!(second, []);
        assert_eq!(highest(&free.take(3)), Some(5));
        assert_eq!(highest(&free.take(0)), None);
    }

    #[test]
    fn what_was_given_back_is_as_if_it_had_never_been_taken() {
        let mut free = Free::default();
        let mut all: Vec<_> = (0..4).map(|_| free.take(2)).collect();
        for at in [1, 3, 0, 2] {
            free.give_back(&mut all[at], 2);
        }
        assert!(free.gaps.is_empty() && free.unused == 0, "{free:?}");
    }
}
