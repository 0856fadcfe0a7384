//! How long to wait before a role that died is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);
/// What was ready and ran on so long was well: the next death is the first again.
const STABLE: Duration = Duration::from_secs(10);

/// Doubles with each death, up to a bound, and begins anew after a stable run.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    /// At its beginning.
    pub(super) fn new() -> Self {
        Backoff { next: FIRST }
    }

    /// The pause after it was ready for so long; zero where it never was.
    pub(super) fn after(&mut self, ready_for: Duration) -> Duration {
        if ready_for >= STABLE {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_anew_after_a_stable_run() {
        let mut backoff = Backoff::new();
        let crash = Duration::from_millis(5);
        let pauses: Vec<u128> = (0..10).map(|_| backoff.after(crash).as_millis()).collect();
        assert_eq!(
            pauses,
            [
                200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(backoff.after(STABLE), FIRST);
        assert_eq!(backoff.after(crash), FIRST * 2);
    }

    #[test]
    fn deaths_that_are_far_apart_do_not_add_up() {
        let mut backoff = Backoff::new();
        for _ in 0..8 {
            assert_eq!(backoff.after(Duration::from_secs(10)), FIRST);
        }
    }
}
