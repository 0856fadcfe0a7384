//! One draw of what is not known, and the stretches in which it leaves nothing to decide.
//!
//! If everybody were granted seats at once, so many would be in use at each instant. Where a replay
//! has the same uses as that, and its seats are enough for all of a stretch of asks, the ledger would
//! grant each of them: the replay takes the stretch as a whole. So a number of seats that is short
//! only at times costs only those times. A property test compares this with asking the ledger each
//! time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::replay::chance;
use crate::replay::wishes::{Held, Prepared, Wish};

/// Asks of a stretch.
pub(super) const STRETCH_ASKS: usize = 2_048;
/// Uses that are kept of all beginnings of stretches, four bytes each. From there on the ledger is
/// asked each time.
const KEPT_LIMIT: usize = 1_000_000;

/// Some asks that follow one another, as if everybody were granted seats at once.
#[derive(Debug)]
pub(super) struct Stretch {
    /// The wishes that are held before its first ask, in ascending order.
    pub(super) held: Vec<u32>,
    /// The instant of the ask before it, in Unix milliseconds: what ends later is held still.
    pub(super) before_ms: i64,
    /// Wishes that begin in it.
    pub(super) granted: u64,
    /// Those of them that are asked for again later.
    pub(super) asked_again: Vec<u32>,
    /// The most seats in use after one of its asks.
    pub(super) peak: u64,
}

/// One draw of what is not known, for all numbers of seats.
#[derive(Debug)]
pub struct Draw {
    pub(super) seed: u64,
    pub(super) number: u32,
    /// Asks of a stretch, 1 or more.
    pub(super) stretch_asks: usize,
    /// From the first on. If they are not all kept, the peak of the last that is kept is more than
    /// there can be seats.
    pub(super) stretches: Vec<Stretch>,
}

impl Draw {
    /// A draw with which the ledger is asked each time.
    #[cfg(test)]
    pub(super) fn thorough(seed: u64, number: u32) -> Draw {
        Draw {
            seed,
            number,
            stretch_asks: STRETCH_ASKS,
            stretches: Vec::new(),
        }
    }

    /// When the seats of a wish that are held from `at_ms` on come back.
    pub(super) fn until_ms(&self, prepared: &Prepared, at_ms: i64, place: u32, wish: &Wish) -> i64 {
        let held_ms = match wish.held {
            Held::Known(held_ms) => held_ms,
            Held::ToTheEnd => return prepared.until_ms.max(at_ms),
            Held::Drawn(source) => {
                let number = chance::number(self.seed, self.number, place);
                prepared.lengths.pick_ms(source, number)
            }
        };
        at_ms.saturating_add(i64::try_from(held_ms).unwrap_or(i64::MAX))
    }
}

impl Prepared {
    /// Draw number `number` of a seed. All numbers of seats are tried with the same draws.
    pub fn draw(&self, seed: u64, number: u32) -> Draw {
        self.draw_by(seed, number, STRETCH_ASKS, KEPT_LIMIT)
    }

    /// The same, with stretches of so many asks, of whose beginnings so many uses are kept.
    pub(super) fn draw_by(
        &self,
        seed: u64,
        number: u32,
        stretch_asks: usize,
        kept_limit: usize,
    ) -> Draw {
        let mut draw = Draw {
            seed,
            number,
            stretch_asks: stretch_asks.max(1),
            stretches: Vec::new(),
        };
        let mut offered = Offered::default();
        for (until_ms, seats) in self.ends_of_running() {
            offered.add(until_ms, seats, None);
        }
        let mut before_ms = self.from_ms;
        let mut kept = 0_usize;
        for (nth, attempts) in self.attempts.chunks(draw.stretch_asks).enumerate() {
            let held = offered.wishes();
            kept = kept.saturating_add(held.len());
            let mut stretch = Stretch {
                held,
                before_ms,
                granted: 0,
                asked_again: Vec::new(),
                peak: 0,
            };
            if kept > kept_limit {
                stretch.peak = u64::MAX;
                draw.stretches.push(stretch);
                break;
            }
            let first = nth.saturating_mul(draw.stretch_asks);
            for (place, attempt) in (first..).zip(attempts) {
                before_ms = attempt.at_ms;
                offered.pass_to(attempt.at_ms);
                let Some(wish) = self.wishes.get(attempt.wish as usize) else {
                    continue;
                };
                if wish.first as usize != place {
                    continue;
                }
                let until_ms = draw.until_ms(self, attempt.at_ms, attempt.wish, wish);
                offered.add(until_ms, wish.seats, Some(attempt.wish));
                stretch.granted += 1;
                if wish.last != wish.first {
                    stretch.asked_again.push(attempt.wish);
                }
                // Whether no seats at all are granted is for the ledger to say.
                let after = match wish.seats {
                    0 => u64::MAX,
                    _ => offered.in_use,
                };
                stretch.peak = stretch.peak.max(after);
            }
            draw.stretches.push(stretch);
        }
        draw
    }

    /// When the uses that ran at the beginning end, and how many seats each holds until then.
    pub(super) fn ends_of_running(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        self.running.iter().filter_map(move |running| {
            let until_ms = running.until_ms.unwrap_or(self.until_ms);
            (until_ms > self.from_ms).then_some((until_ms, running.seats))
        })
    }
}

/// What is in use if everybody is granted seats at once.
#[derive(Default)]
struct Offered {
    in_use: u64,
    /// When seats come back, the earliest first, how many, and of which wish; none: of a use that
    /// ran at the beginning.
    ends: BinaryHeap<Reverse<(i64, u32, Option<u32>)>>,
}

impl Offered {
    fn add(&mut self, until_ms: i64, seats: u32, wish: Option<u32>) {
        self.in_use = self.in_use.saturating_add(u64::from(seats));
        self.ends.push(Reverse((until_ms, seats, wish)));
    }

    fn pass_to(&mut self, at_ms: i64) {
        while let Some(Reverse((end_ms, seats, _))) = self.ends.peek().copied()
            && end_ms <= at_ms
        {
            self.ends.pop();
            self.in_use = self.in_use.saturating_sub(u64::from(seats));
        }
    }

    /// The wishes that are held, in ascending order.
    fn wishes(&self) -> Vec<u32> {
        let ends = self.ends.iter();
        let mut held: Vec<u32> = ends.filter_map(|Reverse((_, _, wish))| *wish).collect();
        held.sort_unstable();
        held
    }
}
