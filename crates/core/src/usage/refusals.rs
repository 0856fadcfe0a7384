//! Whom a number of seats would have refused if it had been enforced.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

/// One recorded use of a product, seated or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Whose seat it is: uses of one holder that overlap share one.
    pub holder: u64,
    /// When it began, in Unix milliseconds.
    pub from_ms: i64,
    /// When it ended: at that instant its seat is free. `i64::MAX` while it lasts.
    pub until_ms: i64,
}

/// What would have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The uses that would have been refused, by their place in the list, in order of start.
    pub refused: Vec<usize>,
    /// Seats that all of them together took at once at the most, had nobody been refused.
    pub peak: u64,
    /// The first instant at which they took so many; none: nobody used anything.
    pub peak_at_ms: Option<i64>,
}

/// Plays recorded `uses` again with `seats`: each that begins while all seats are held by others
/// is refused, and what was refused holds no seat. Who was refused is taken not to have tried
/// again. Takes time and memory in proportion to the uses, and sorts them.
pub fn refusals(uses: &[Use], seats: u64) -> Forecast {
    let mut order: Vec<usize> = (0..uses.len()).collect();
    order.sort_by_key(|at| (uses[*at].from_ms, uses[*at].until_ms, *at));
    let mut forecast = Forecast::default();
    let (mut enforced, mut free) = (Seats::default(), Seats::default());
    for at in order {
        let one = &uses[at];
        free.pass_to(one.from_ms);
        free.take(one);
        if free.taken() > forecast.peak {
            forecast.peak = free.taken();
            forecast.peak_at_ms = Some(one.from_ms);
        }
        enforced.pass_to(one.from_ms);
        if enforced.holds(one.holder) || enforced.taken() < seats {
            enforced.take(one);
        } else {
            forecast.refused.push(at);
        }
    }
    forecast
}

/// The seats that are held at one instant.
#[derive(Debug, Default)]
struct Seats {
    /// Uses of each holder that last.
    holders: FxHashMap<u64, u32>,
    /// When each use ends, the earliest first.
    ends: BinaryHeap<Reverse<(i64, u64)>>,
}

impl Seats {
    fn pass_to(&mut self, now_ms: i64) {
        while let Some(Reverse((until_ms, holder))) = self.ends.peek().copied() {
            if until_ms > now_ms {
                return;
            }
            self.ends.pop();
            if let Some(uses) = self.holders.get_mut(&holder) {
                *uses -= 1;
                if *uses == 0 {
                    self.holders.remove(&holder);
                }
            }
        }
    }

    fn take(&mut self, one: &Use) {
        *self.holders.entry(one.holder).or_default() += 1;
        self.ends.push(Reverse((one.until_ms, one.holder)));
    }

    fn holds(&self, holder: u64) -> bool {
        self.holders.contains_key(&holder)
    }

    fn taken(&self) -> u64 {
        self.holders.len() as u64
    }
}
