//! How long a server may take, for commands that wait for a seat and for those that do not.

use std::time::Duration;

/// How long a server may be silent until it counts as not answering: a server that is there answers
/// within 15 seconds, if only that it does not know the outcome. One that hangs counts as one that
/// is away.
pub(super) const SILENCE: Duration = Duration::from_secs(20);
/// How long a server may be silent before a waiting user is told: a restart takes less.
pub(super) const NOTICED: Duration = Duration::from_secs(2);
/// How long giving a seat back may take: `usher run` ends after that at the latest.
pub(super) const GIVE_BACK: Duration = Duration::from_secs(2);

/// How long a first answer may take for a command that waits for `left` more; `None`: it does not
/// wait, or waits for ever. On a busy computer even a quick answer can take [`NOTICED`].
pub(super) fn patience(left: Option<Duration>) -> Duration {
    left.map_or(SILENCE, |left| left.clamp(NOTICED, SILENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_hangs_holds_up_who_waits_no_longer_than_they_wait_but_for_the_least() {
        let after = |seconds| patience(Some(Duration::from_secs(seconds)));
        assert_eq!(patience(None), SILENCE);
        assert_eq!((after(0), after(1)), (NOTICED, NOTICED));
        assert_eq!(after(7), Duration::from_secs(7));
        assert_eq!(after(3_600), SILENCE);
    }
}
