//! The requests to the writer, and its answers.

use std::sync::Arc;

use usher_core::ledger::{Command, Ledger, Now, Reply};

/// How many requests may wait for the writer; the next one gets [`Failure::Busy`] at once.
pub const QUEUE_LIMIT: usize = 65_536;
/// About how many bytes these may take. A request that does not fit gets [`Failure::Busy`] at once,
/// but one that finds the queue empty is accepted whatever its size.
pub const QUEUE_LIMIT_BYTES: usize = 128 * 1024 * 1024;

/// Where answers go. The writer delivers all answers of a batch for the same sink at once, on its
/// own thread, so a sink must not block.
pub trait Sink: Send + Sync {
    /// Takes the answers, each with the token of its request.
    fn deliver(&self, answers: &mut Vec<(u64, Result<Answer, Failure>)>);
}

/// A reply of the ledger, durable, with the instant at which it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When it was decided, on both clocks.
    pub at: Now,
    /// What the ledger answered.
    pub reply: Reply,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Too many requests wait, or the disk has accepted nothing for too long; nothing was done.
    Busy,
    /// The disk refused a write, for this reason; nothing was done.
    Storage(String),
    /// The file could not be read, for this reason; nothing was changed.
    Unread(String),
    /// The disk failed during a commit, for this reason; whether the request was applied is not
    /// known.
    OutcomeUnknown(String),
    /// The engine is closing; nothing was done.
    Stopping,
    /// The request caused a panic, which is in the log: a bug. Nothing of it is kept.
    Fault,
}

/// A read of the ledger on the writer's thread, at a moment when everything in it is durable. Gets
/// the failure if there is no ledger.
pub type Look = Box<dyn FnOnce(Result<(&Ledger, Now), Failure>) + Send>;

/// The kinds of requests to the writer.
pub enum Work {
    /// A command for the ledger.
    Command(Command),
    /// A read of the ledger, in order with the commands. It must be short, because everything else
    /// waits.
    Read(Look),
}

/// One request: what to do and where its answer goes.
pub struct Request {
    /// The command or the read.
    pub work: Work,
    /// Where the answer goes; a read delivers its own.
    pub sink: Arc<dyn Sink>,
    /// A number that is returned with the answer.
    pub token: u64,
}

/// Whether the engine can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// The store can serve.
    Ok,
    /// The last commit failed. It serves what needs no disk, and tries again with each request.
    Degraded {
        /// What is wrong, in words for people.
        why: String,
        /// Since when, in Unix milliseconds.
        since_wall_ms: i64,
    },
    /// It cannot serve: the disk has not answered for some time.
    Stuck {
        /// What it waits for, in words.
        why: String,
        /// For how long, in seconds.
        for_seconds: u64,
    },
}
