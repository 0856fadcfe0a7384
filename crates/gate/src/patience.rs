//! How long one process waits for another's word: counted in looks, not only in time.
//!
//! A computer that slept, or whose virtual machine was stopped, finds a long time gone at once
//! though the other had no chance to speak. So each look counts for one however late it comes.

use std::time::{Duration, Instant};

/// Patience with one other process.
#[derive(Debug)]
pub(crate) struct Patience {
    look_every: Duration,
    looks: u32,
    in_vain: u32,
    next_look: Instant,
}

impl Patience {
    /// Ends after so many looks in vain, each `look_every` after the one before.
    pub(crate) fn new(look_every: Duration, looks: u32, now: Instant) -> Self {
        Self {
            look_every,
            looks,
            in_vain: 0,
            next_look: now + look_every,
        }
    }

    /// The other has spoken.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.in_vain = 0;
        self.next_look = now + self.look_every;
    }

    /// When to look next.
    pub(crate) fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Looks, if it is time to; whether patience is at its end.
    pub(crate) fn is_at_its_end(&mut self, now: Instant) -> bool {
        if now < self.next_look {
            return false;
        }
        self.in_vain += 1;
        self.next_look = now + self.look_every;
        self.in_vain >= self.looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    #[test]
    fn patience_ends_after_so_many_looks_in_vain() {
        let begun = Instant::now();
        let mut patience = Patience::new(TICK, 3, begun);
        assert!(!patience.is_at_its_end(begun + TICK));
        assert!(!patience.is_at_its_end(begun + TICK));
        assert!(!patience.is_at_its_end(begun + 2 * TICK));
        assert!(patience.is_at_its_end(begun + 3 * TICK));
    }

    #[test]
    fn a_word_in_between_begins_the_count_anew() {
        let begun = Instant::now();
        let mut patience = Patience::new(TICK, 2, begun);
        assert!(!patience.is_at_its_end(begun + TICK));
        patience.heard(begun + TICK);
        assert!(!patience.is_at_its_end(begun + 2 * TICK));
        assert!(patience.is_at_its_end(begun + 3 * TICK));
    }

    #[test]
    fn an_hour_gone_at_once_is_one_look() {
        let begun = Instant::now();
        let mut patience = Patience::new(TICK, 2, begun);
        let hour = Duration::from_secs(3_600);
        assert!(!patience.is_at_its_end(begun + hour));
        assert_eq!(patience.next_look(), begun + hour + TICK);
    }
}
