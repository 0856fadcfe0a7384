//! How long a server may take, for who waits for a seat and for who does not.

use std::time::Duration;

/// How long a server may be silent before none answers: one that is there gives its answer within 15
/// seconds, and be it that it does not know the outcome. One that hangs is as one that is away.
pub(super) const SILENCE: Duration = Duration::from_secs(20);
/// For how long a server may be silent before who waits is told: a restart is over before.
pub(super) const NOTICED: Duration = Duration::from_secs(2);
/// How long giving back may take: who waits for the end of `usher run` does not wait for more.
pub(super) const GIVE_BACK: Duration = Duration::from_secs(2);

/// How long a first answer may take for who waits for `left` more; none: who does not wait, or for
/// ever. No answer is given in less than [`NOTICED`] on a busy computer.
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
