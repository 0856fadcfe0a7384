//! How long a server may take, for who waits for a seat and for who does not.

use std::time::Duration;

/// How long a server may be silent before none answers: one that is there gives its answer within 15
/// seconds, and be it that it does not know the outcome. One that hangs is as one that is away.
pub(super) const SILENCE: Duration = Duration::from_secs(20);
/// For how long a server may be silent before who waits is told: a restart is over before.
pub(super) const NOTICED: Duration = Duration::from_secs(2);
/// How long giving back may take: who waits for the end of `usher run` does not wait for more.
pub(super) const GIVE_BACK: Duration = Duration::from_secs(2);
