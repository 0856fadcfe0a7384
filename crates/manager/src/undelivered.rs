//! Why a delivery failed, and for how long it is retried.

use std::time::Duration;

use usher_core::messages::DELIVERY_TRIED_HOURS;

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undelivered {
    /// What went wrong, as a sentence.
    pub(crate) why: String,
    /// Whether a repeat may succeed.
    pub(crate) again: Again,
}

/// Whether a repeat may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Retry for hours, as when a relay is down.
    Later,
    /// Retry a few times: nobody can tell, as when a program failed.
    Soon,
    /// Do not retry: it was refused for good.
    Never,
}

impl Undelivered {
    /// A failure that is retried for hours.
    pub(crate) fn now(why: impl Into<String>) -> Self {
        Undelivered::of(Again::Later, why)
    }

    /// A failure that is retried a few times.
    pub(crate) fn perhaps(why: impl Into<String>) -> Self {
        Undelivered::of(Again::Soon, why)
    }

    /// A refusal for good.
    pub(crate) fn for_good(why: impl Into<String>) -> Self {
        Undelivered::of(Again::Never, why)
    }

    fn of(again: Again, why: impl Into<String>) -> Self {
        Undelivered {
            why: why.into(),
            again,
        }
    }

    /// The same failure, retried for hours.
    pub(crate) fn later(self) -> Self {
        Undelivered {
            again: Again::Later,
            ..self
        }
    }

    /// The same failure with another text.
    pub(crate) fn told(self, words: impl FnOnce(&str) -> String) -> Self {
        Undelivered {
            why: words(&self.why),
            ..self
        }
    }
}

/// How long a failing destination is retried.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// The pauses after the first tries; the last one repeats.
    pub(crate) pauses: Vec<Duration>,
    /// A message that has waited longer than this is given up.
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
    /// The pause after so many tries.
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
