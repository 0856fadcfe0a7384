//! Process events in, sessions of products out.
//!
//! [`Sessions`] is a pure machine: it is told what processes do ([`Event`]) and when ([`Stamp`]),
//! and answers what follows ([`Effect`]). It promises that
//! - one product on one computer by one user is one session and asks for one lease, however many
//!   launchers and processes it is made of (or one for each process, where the product counts so);
//! - a session lasts while a process of it lives, however long: an hour is one session, not four
//!   (KB Q210366); exec into another image goes on with it; helpers neither take nor keep it;
//! - a process tree under a lease that `usher run` holds never asks for a second one;
//! - every session ends once, and every lease that was wanted is released once.
//!
//! Processes are told apart by pid and start time, so a pid that is used again is another process.
//! Tables are bounded by [`Limits`]; what does not fit is left out and counted.

mod machine;
mod session;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use machine::{Limits, Sessions};
pub use session::{Counting, Process, ProcessKey, Program, Session, SessionId, Stamp, Use, Who};

use std::sync::Arc;

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A process runs a program: it has just exec'd it, or was found running it.
    Runs(Process),
    /// A process of a session or under a cover has made another.
    Forked {
        /// Its maker.
        parent: u32,
        /// The new process.
        child: ProcessKey,
    },
    /// A process has ended.
    Exited {
        /// Its pid.
        pid: u32,
    },
    /// From now on only these products are known: sessions of others end.
    ProductsAre(Vec<Arc<str>>),
    /// `usher run` holds a lease for a process and all that it starts from now on.
    Covered {
        /// The process at the root of the tree.
        root: ProcessKey,
        /// The lease.
        lease: Arc<str>,
        /// The product of the lease; seats of other products are not covered.
        product: Arc<str>,
    },
    /// A session has a seat.
    Seated {
        /// The session.
        session: SessionId,
        /// Its lease.
        lease: Arc<str>,
    },
    /// A session was refused a seat, or lost it.
    Unseated {
        /// The session.
        session: SessionId,
    },
    /// All programs that run were looked at: sessions that were restored and that no process has
    /// taken up have ended while nobody watched.
    Settled,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A session has begun.
    Opened(Session),
    /// It needs a seat; never said of a session under a cover.
    WantLease(SessionId),
    /// It no longer needs the seat that it wanted.
    ReleaseLease(SessionId),
    /// It has ended.
    Ended(Session, Stamp),
}
