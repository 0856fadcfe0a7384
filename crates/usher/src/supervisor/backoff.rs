//! How long to wait before a role that died is started again, and when to stop trying.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The pause after the first death.
pub(super) const FIRST: Duration = Duration::from_millis(200);
/// The longest pause.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// A role that was ready and ran on for so long is stable: its next death counts as the first.
const STABLE: Duration = Duration::from_secs(10);
/// The number of deaths within [`WINDOW`] after which a role is not started again, as in the
/// systemd units.
pub(super) const DEATHS_LIMIT: usize = 5;
/// The time in which [`DEATHS_LIMIT`] deaths are too many.
pub(super) const WINDOW: Duration = Duration::from_secs(600);

/// Doubles with each death, up to a bound, and starts over after a stable run.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    /// The last deaths, oldest first; no more than [`DEATHS_LIMIT`].
    deaths: VecDeque<Instant>,
}

impl Backoff {
    /// A role that has not died yet.
    pub(super) fn new() -> Self {
        Backoff {
            next: FIRST,
            deaths: VecDeque::new(),
        }
    }

    /// The pause before the next start, for a role that was ready for so long (zero: it never was).
    /// `None` if it has died too often by `now`.
    pub(super) fn after(&mut self, ready_for: Duration, now: Instant) -> Option<Duration> {
        let is_old = |at: &Instant| now.saturating_duration_since(*at) >= WINDOW;
        while self.deaths.front().is_some_and(is_old) {
            self.deaths.pop_front();
        }
        self.deaths.push_back(now);
        if self.deaths.len() >= DEATHS_LIMIT {
            return None;
        }
        if ready_for >= STABLE {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        Some(pause)
    }

    /// Forgets the former deaths, as a start was asked for.
    pub(super) fn forget(&mut self) {
        *self = Backoff::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRASH: Duration = Duration::from_millis(5);

    #[test]
    fn pauses_grow_to_a_bound_and_start_over_after_a_stable_run() {
        let mut backoff = Backoff::new();
        let mut now = Instant::now();
        let mut after = |ready_for| {
            now += WINDOW / 4;
            backoff.after(ready_for, now).map(|it| it.as_millis())
        };
        let pauses: Vec<_> = (0..10).map(|_| after(CRASH).unwrap()).collect();
        assert_eq!(
            pauses,
            [
                200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(after(STABLE), Some(FIRST.as_millis()));
        assert_eq!(after(CRASH), Some((FIRST * 2).as_millis()));
    }

    #[test]
    fn the_fifth_death_in_ten_minutes_is_the_last_and_fewer_never_add_up() {
        let mut backoff = Backoff::new();
        let mut now = Instant::now();
        let mut dies_after = |seconds| {
            now += Duration::from_secs(seconds);
            backoff.after(STABLE, now).is_some()
        };
        assert!((0..50).all(|_| dies_after(150)));
        assert!(dies_after(600));
        assert!((0..3).all(|_| dies_after(149)));
        assert!(!dies_after(149), "the fifth within ten minutes");
    }

    #[test]
    fn a_start_that_was_asked_for_begins_another_count() {
        let mut backoff = Backoff::new();
        let now = Instant::now();
        assert!((1..DEATHS_LIMIT).all(|_| backoff.after(CRASH, now).is_some()));
        backoff.forget();
        assert_eq!(backoff.after(CRASH, now), Some(FIRST));
    }
}
