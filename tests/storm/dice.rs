//! Numbers without a pattern, the same ones again from the same seed (xorshift64).

use std::time::Duration;

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Dice {
        let mut dice = Dice(seed | 1);
        for _ in 0..8 {
            dice.next();
        }
        dice
    }

    /// Others for each `salt`, which depend on the seed alone.
    pub(crate) fn child(&self, salt: u64) -> Dice {
        Dice::of(self.0 ^ (salt + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.below(range.end - range.start))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
