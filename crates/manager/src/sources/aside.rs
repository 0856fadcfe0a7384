//! For how long a watch is put aside whose reader has panicked.

use std::time::Duration;

/// The first time; each is twice as long as the one before it.
const SHORTEST: Duration = Duration::from_secs(10);
/// The longest. Whoever goes on for longer begins with the shortest again.
const LONGEST: Duration = Duration::from_secs(3_600);

/// For how long it was put aside the last time, if it was.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Aside(Option<Duration>);

impl Aside {
    /// It has panicked after it went on for so long; for how long it is put aside.
    pub(super) fn again(&mut self, lasted: Duration) -> Duration {
        let pause = match self.0 {
            Some(last) if lasted < LONGEST => last.saturating_mul(2).min(LONGEST),
            _ => SHORTEST,
        };
        *self.0.insert(pause)
    }

    /// Whether it goes on again, and does not only try to: it has for as long as it was put aside.
    pub(super) fn is_over(self, lasted: Duration) -> bool {
        self.0.is_none_or(|pause| lasted >= pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_panics_again_is_put_aside_for_longer_up_to_an_hour() {
        let mut aside = Aside::default();
        assert!(aside.is_over(Duration::ZERO));
        assert_eq!(aside.again(Duration::ZERO), SHORTEST);
        assert!(!aside.is_over(SHORTEST / 2) && aside.is_over(SHORTEST));
        // Now and then is no better than at once.
        assert_eq!(aside.again(Duration::from_secs(600)), SHORTEST * 2);
        let longest = (0..20).map(|_| aside.again(Duration::ZERO)).last();
        assert_eq!(longest, Some(LONGEST));
        assert_eq!(aside.again(LONGEST), SHORTEST);
    }
}
