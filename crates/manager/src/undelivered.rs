//! Why a delivery did not go through, and how long one is tried again.

use std::time::Duration;

use usher_core::messages::DELIVERY_TRIED_HOURS;

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undelivered {
    /// What went wrong, as a sentence.
    pub(crate) why: String,
    /// Whether it may go through if it is tried again.
    pub(crate) again: Again,
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// For hours, as if a relay is down.
    Later,
    /// A few times: nobody can say, as of a program that ended with a failure.
    Soon,
    /// It was refused for what it is: it would never go through.
    Never,
}

impl Undelivered {
    /// It may go through later.
    pub(crate) fn now(why: impl Into<String>) -> Self {
        Undelivered::of(Again::Later, why)
    }

    /// It may go through soon, or not at all.
    pub(crate) fn perhaps(why: impl Into<String>) -> Self {
        Undelivered::of(Again::Soon, why)
    }

    /// It would never go through.
    pub(crate) fn for_good(why: impl Into<String>) -> Self {
        Undelivered::of(Again::Never, why)
    }

    fn of(again: Again, why: impl Into<String>) -> Self {
        Undelivered {
            why: why.into(),
            again,
        }
    }

    /// Whatever it is, it may go through later.
    pub(crate) fn later(self) -> Self {
        Undelivered {
            again: Again::Later,
            ..self
        }
    }

    /// The same in other words.
    pub(crate) fn told(self, words: impl FnOnce(&str) -> String) -> Self {
        Undelivered {
            why: words(&self.why),
            ..self
        }
    }
}

/// How long a destination is given that takes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// After each try the next of these is waited for, the last again and again.
    pub(crate) pauses: Vec<Duration>,
    /// What waits longer than this is given up.
    pub(crate) limit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = [2, 8, 60, 300, 900, 1_800, 3_600];
        Patience {
            pauses: seconds.map(Duration::from_secs).to_vec(),
            limit: Duration::from_secs(DELIVERY_TRIED_HOURS * 3_600),
        }
    }
}

impl Patience {
    /// How long to wait after so many tries.
    pub(crate) fn pause(&self, tries: usize) -> Duration {
        let last = self.pauses.len().saturating_sub(1);
        let pause = self.pauses.get(tries.saturating_sub(1).min(last));
        pause.copied().unwrap_or(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_tried_less_and_less_often_for_half_a_day() {
        let patience = Patience::default();
        let seconds: Vec<u64> = (1..=9).map(|it| patience.pause(it).as_secs()).collect();
        assert_eq!(seconds, [2, 8, 60, 300, 900, 1_800, 3_600, 3_600, 3_600]);
        assert_eq!(patience.limit.as_secs(), 43_200);
    }
}
