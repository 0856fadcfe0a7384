//! How many events a second the ledger has lately decided, as whoever asks now and then can tell.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time over which events are counted.
const OVER: Duration = Duration::from_millis(500);

/// The pace between two looks.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<Look>);

#[derive(Debug)]
struct Look {
    at: Instant,
    events: u64,
    per_second: u64,
}

impl Pace {
    /// Nothing was decided so far.
    pub(crate) fn new(now: Instant) -> Pace {
        Pace(Mutex::new(Look {
            at: now,
            events: 0,
            per_second: 0,
        }))
    }

    /// Events a second since the last look, or the one before if that was just now. `events` is how many
    /// there were since the start.
    pub(crate) fn per_second(&self, events: u64, now: Instant) -> u64 {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(last.at);
        if passed >= OVER {
            let came = events.saturating_sub(last.events);
            let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
            *last = Look {
                at: now,
                events,
                per_second: came.saturating_mul(1_000) / ms.max(1),
            };
        }
        last.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_since_the_last_look_and_stays_for_those_who_ask_at_once() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let pace = Pace::new(began);
        assert_eq!(pace.per_second(900, at(100)), 0);
        assert_eq!(pace.per_second(2_000, at(1_000)), 2_000);
        assert_eq!(pace.per_second(9_000, at(1_300)), 2_000);
        assert_eq!(pace.per_second(12_000, at(2_000)), 10_000);
        assert_eq!(pace.per_second(12_000, at(4_000)), 0);
        // Of a clock that stands still nothing is told.
        assert_eq!(pace.per_second(99_000, at(4_000)), 0);
    }
}
