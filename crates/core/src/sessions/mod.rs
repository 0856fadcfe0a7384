//! Process events in, sessions of products out.
//!
//! [`Sessions`] is a pure machine: it is told what processes do ([`Event`]) and when ([`Stamp`]),
//! and answers what follows ([`Effect`]). It promises that
//! - one product on one computer by one user is one session and asks for one lease, however many
//!   launchers and processes it is made of (or one for each process, if the product counts so);
//! - a session lasts while a process of it lives, however long: an hour is one session, not four
//!   (KB Q210366); exec into another image goes on with it; helpers neither take nor keep it;
//! - a process tree under a lease that `usher run` holds never asks for a second one;
//! - sessions of one use that share a lease are told of as one, from the first start to the last
//!   end, whether they were started plainly or by `usher run`;
//! - a use goes on as one session if its product is removed, and added again, meanwhile;
//! - every session ends once, and every lease that was wanted is released once.
//!
//! A process may be held at the gate before its first instruction ([`Event::Asked`]). What needs
//! no seat of its own runs at once: what a lease covers, helpers, what is part of a program that
//! runs, and a product that its user has a seat for on this computer. For all others a session is
//! *held*: it asks for one seat, however many starts wait for it. With the seat they run; without,
//! they are refused, and the session was never there. The seat of a session whose programs die or
//! never run is given back.
//!
//! Processes are told apart by pid and start time, so a pid that is used again is another process.
//! Tables are bounded by [`Limits`]; what does not fit is left out and counted.

mod account;
mod covers;
mod ends;
mod gate;
mod machine;
mod one_use;
mod session;
mod starts;
mod state;

#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use account::AccountKey;
pub use session::{Counting, Process, ProcessKey, Program, Session, SessionId, Stamp, Use, Who};
pub use state::{Limits, Sessions};

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
    /// From now on only these products are known: no start of another is held any more. What runs
    /// of another is a use to its end.
    ProductsAre(Vec<Arc<str>>),
    /// A process is held before it runs a program of a product: may it? The answer is one
    /// [`Effect::Allow`] or [`Effect::Refuse`], now or later; none if the process ends before.
    /// While [`Sessions::is_held`] says so, whatever the process runs is to be told, also what is
    /// of no product, and its end.
    Asked {
        /// A number to answer by, not used before.
        ask: AskId,
        /// The process, with what it is about to run.
        process: Process,
        /// The answer if no server answers.
        unanswered: Unanswered,
    },
    /// `usher run` holds a lease for a process and all that it starts from now on.
    Covered {
        /// The process at the root of the tree.
        root: ProcessKey,
        /// The id of the lease.
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
    /// The seat that was asked for with `gate` was refused.
    Denied {
        /// The session.
        session: SessionId,
    },
    /// The server holds no programs of that product (any more): it records the session without a
    /// seat.
    Ungated {
        /// The session.
        session: SessionId,
    },
    /// Whether there is a seat is not known, and will not be in time: no server can be reached,
    /// or none decides. What was asked may still come to be granted.
    Unreachable {
        /// The session.
        session: SessionId,
    },
    /// Time has passed.
    Tick,
    /// All programs that run were looked at: sessions that were restored and that no process has
    /// taken up have ended while nobody watched.
    Settled,
}

/// Which of the questions of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// What becomes of a held program if nobody answers for its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// It runs, unseated.
    Run,
    /// It is refused.
    Refuse,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A session has begun.
    Opened(Session),
    /// It needs a seat; never said of a session under a cover. With `gate` programs wait for the
    /// answer, which is one of [`Event::Seated`], [`Event::Denied`], [`Event::Ungated`] and
    /// [`Event::Unreachable`]; without, it takes the place of whatever was asked for it before.
    WantLease {
        /// The session that needs a lease.
        session: SessionId,
        /// Whether it may be refused.
        gate: bool,
    },
    /// A session is held until its first program runs: [`Effect::Opened`] says so. Where that never
    /// comes, [`Effect::Dropped`] does.
    Held(Session),
    /// A session that was held came to nothing. It is no use of the product.
    Dropped(SessionId),
    /// What was asked may run.
    Allow(AskId),
    /// What was asked may not run.
    Refuse {
        /// The question that is answered.
        ask: AskId,
        /// The session that has no seat; none if it is not known whether there is one.
        session: Option<SessionId>,
    },
    /// It no longer needs the seat that it wanted.
    ReleaseLease(SessionId),
    /// It has ended.
    Ended(Session, Stamp),
    /// It has ended, and its use goes on in another session on the same lease, which began when the
    /// first of both did: the end of that one tells of both.
    GoesOn {
        /// The session that has ended.
        ended: SessionId,
        /// The one that goes on.
        by: SessionId,
    },
}
