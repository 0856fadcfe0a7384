//! Facts as they are made here: first said, then dated.

use jiff::Timestamp;

use crate::fact::{Ask, Fact, Feature};

/// A feature of a daemon.
pub(super) fn feature(daemon: &str, name: &str) -> Feature {
    Feature {
        daemon: Some(daemon.to_owned()),
        name: name.to_owned(),
    }
}

/// A fact that was said before its instant was known.
pub(super) fn dated(fact: Fact, at: Timestamp) -> Fact {
    let of = |ask: Ask| Ask { at, ..ask };
    match fact {
        Fact::Checkout(ask) => Fact::Checkout(of(ask)),
        Fact::Checkin(ask) => Fact::Checkin(of(ask)),
        Fact::Inactive(ask) => Fact::Inactive(of(ask)),
        Fact::Denied(ask, why) => Fact::Denied(of(ask), why),
        Fact::Queued(ask) => Fact::Queued(of(ask)),
        Fact::Dequeued(ask) => Fact::Dequeued(of(ask)),
        Fact::Unsupported(ask) => Fact::Unsupported(of(ask)),
        Fact::Began { daemon, .. } => Fact::Began { at, daemon },
        Fact::Ended { daemon, .. } => Fact::Ended { at, daemon },
        Fact::Reread { daemon, .. } => Fact::Reread { at, daemon },
        Fact::ClockSet { seconds, .. } => Fact::ClockSet { at, seconds },
        same @ (Fact::Unobserved { .. }
        | Fact::DaemonPeak { .. }
        | Fact::Consists { .. }
        | Fact::Silent { .. }
        | Fact::Snapshot(_)
        | Fact::Owned(_)
        | Fact::Session(_)
        | Fact::Summed(_)) => same,
    }
}
