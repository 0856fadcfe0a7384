//! What foreign files say, in one form for all kinds: something that happened at an instant, a use from
//! its start to its end, what a server held at an instant, or what is owned.

mod feature;
mod owned;
mod snapshot;
mod uses;

use jiff::Timestamp;

pub use self::feature::{Feature, Holder, Product};
pub use self::owned::{Component, Owned, Place, SetAside, Until, Written};
pub use self::snapshot::{Held, Snapshot};
pub use self::uses::{Ask, Session, Summed};

/// Something that a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A use begins.
    Checkout(Ask),
    /// A use ends. `seats` is what the line says.
    Checkin(Ask),
    /// It was refused, and why, in the file's words without names.
    Denied(Ask, String),
    /// An ask waits in the queue.
    Queued(Ask),
    /// It waits no more: it was granted (a checkout follows), or gave up.
    Dequeued(Ask),
    /// The daemon does not serve such a feature.
    Unsupported(Ask),
    /// The daemon took a seat back from a holder who did nothing, which ends the use: no checkin follows.
    Inactive(Ask),
    /// A daemon began at that instant: whatever it held before has ended.
    Began {
        /// The instant of the line.
        at: Timestamp,
        /// Which; none: all of the file.
        daemon: Option<String>,
    },
    /// A daemon ended: whatever it held has ended.
    Ended {
        /// The instant of the line.
        at: Timestamp,
        /// Which; none: all of the file.
        daemon: Option<String>,
    },
    /// The options or licence file was read again.
    Reread {
        /// The instant of the line.
        at: Timestamp,
        /// Of which daemon; none: of all of the file.
        daemon: Option<String>,
    },
    /// For a time nothing was recorded.
    Unobserved {
        /// The first instant.
        from: Timestamp,
        /// The first instant of which something is recorded again.
        to: Timestamp,
    },
    /// The clock of the log was set by that many seconds; negative: back.
    ClockSet {
        /// The first instant by the new clock.
        at: Timestamp,
        /// By how many seconds it moved.
        seconds: i64,
    },
    /// The daemon's own count of the most seats in use, which is compared with ours.
    DaemonPeak {
        /// Which daemon, if it is told.
        daemon: Option<String>,
        /// The feature's name; none: the daemon counts all of its clients together.
        feature: Option<String>,
        /// Seats, or clients if no feature is named.
        seats: u64,
        /// When, if it is told.
        at: Option<Timestamp>,
    },
    /// A package has a component: lines of both at one start are one use.
    Consists {
        /// The package.
        package: Feature,
        /// The component's name, of the same daemon.
        component: String,
    },
    /// A server, or a daemon of it, did not answer when it was asked: what it holds then is not known,
    /// and is not nothing.
    Silent {
        /// When it was asked.
        at: Timestamp,
        /// Which server, as it is named (`port@host`), if it is told.
        server: Option<String>,
        /// Which daemon; none: the whole server.
        daemon: Option<String>,
        /// Why, in the report's words.
        why: String,
    },
    /// What a server said that it holds at an instant.
    Snapshot(Box<Snapshot>),
    /// What is owned.
    Owned(Box<Owned>),
    /// A whole use, as a table of uses writes it: one row is one use, and no two are merged.
    Session(Box<Session>),
    /// What a file sums up of uses in a span of time, without each of them.
    Summed(Box<Summed>),
}
