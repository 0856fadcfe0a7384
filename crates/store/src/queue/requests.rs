//! The requests to the writer, and its answers.

use std::sync::Arc;

use usher_core::ledger::{Command, Ledger, Now, Reply};

/// Requests that may wait for the writer; the next is answered with [`Failure::Busy`] at once.
pub const QUEUE_LIMIT: usize = 65_536;
/// Bytes that these may take, about: what does not fit is answered with [`Failure::Busy`] at once,
/// but one that finds nothing waiting is taken whatever its size.
pub const QUEUE_LIMIT_BYTES: usize = 128 * 1024 * 1024;

/// Where answers go. The writer hands over all answers of a batch that go to the same sink at
/// once, on its own thread: it must not block.
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
    /// Too much is waiting, or the disk has taken nothing for too long; nothing was done.
    Busy,
    /// The disk refused; nothing was done. Says why.
    Storage(String),
    /// What is kept could not be read; nothing was changed. Says why.
    Unread(String),
    /// The disk failed in the middle; whether it was done is not known. Says why.
    OutcomeUnknown(String),
    /// The engine is closing; nothing was done.
    Stopping,
    /// It panicked, which is in the log: a fault of the program. Nothing of it is kept.
    Fault,
}

/// A look at the ledger, on the writer's thread, when all that it holds is durable; told the
/// failure if there is no ledger to look at.
pub type Look = Box<dyn FnOnce(Result<(&Ledger, Now), Failure>) + Send>;

/// What can be asked of the writer.
pub enum Work {
    /// A command for the ledger.
    Command(Command),
    /// A look at the ledger in the order of the commands. It must be short: everything waits.
    Read(Look),
}

/// One request: what to do and where its answer goes.
pub struct Request {
    /// What the writer is to do.
    pub work: Work,
    /// Where the answer goes; a look tells its own.
    pub sink: Arc<dyn Sink>,
    /// Given back with the answer.
    pub token: u64,
}

/// Whether the engine can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It can.
    Ok,
    /// It serves what needs no disk, and tries again with each request: the last commit failed.
    Degraded {
        /// What is wrong, in words for people.
        why: String,
        /// Since when, in Unix milliseconds.
        since_wall_ms: i64,
    },
    /// It cannot: the disk has not answered for so long.
    Stuck {
        /// What is waited for.
        why: String,
        /// For how long, in seconds.
        for_seconds: u64,
    },
}
