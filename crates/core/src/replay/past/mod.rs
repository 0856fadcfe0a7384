//! What a site keeps of a product's past, made into a recording.
//!
//! A lease is an ask that was granted; what waited for it in the queue is the same ask. A session
//! without a seat is an ask whose length is known although nobody was refused. A wait in vain and a
//! refusal are asks whose length nobody knows. Of what one person ran on one computer without a seat
//! at the same time, and beside seats that they held there, nothing is counted twice
//! ([decision 27](../../../../docs/decisions/0027-what-counts-as-wanted.md)).

mod known;
mod made;
mod unseated;

pub use made::{Recorded, recorded};

/// What a server called a lease or a ticket: unique over all servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MadeBy {
    /// The server, by number.
    pub server: u64,
    /// In which life of its data.
    pub incarnation: u32,
    /// By which event.
    pub event: u64,
}

/// Who asked, on which computer; none: nobody knows any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Who {
    /// The person: below 2^63.
    pub person: Option<u64>,
    /// The computer: below 2^63.
    pub computer: Option<u64>,
}

/// Something that is known of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// Seats that were granted.
    Lease(PastLease),
    /// A run of a program.
    Session(PastSession),
    /// A wait in the queue.
    Wait(PastWait),
    /// A refusal.
    Refusal(PastRefusal),
}

/// Seats that were granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastLease {
    /// What tells it from all others.
    pub key: MadeBy,
    /// Who held it.
    pub who: Who,
    /// Seats held.
    pub seats: u32,
    /// When it was granted, in Unix milliseconds.
    pub granted_ms: i64,
    /// For how many milliseconds it was held; none: it still is.
    pub held_ms: Option<u64>,
    /// The ticket by which it was waited for.
    pub ticket: Option<MadeBy>,
    /// Somebody used it: it was not kept for a start that never came.
    pub was_used: bool,
}

/// A run of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastSession {
    /// The person and the computer that it was on.
    pub who: Who,
    /// When it began, in Unix milliseconds.
    pub started_ms: i64,
    /// For how many milliseconds it lasted.
    pub duration_ms: u64,
    /// For how many of these it had no seat.
    pub unseated_ms: u64,
    /// The lease that it held.
    pub lease: Option<MadeBy>,
}

/// A wait in the queue that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastWait {
    /// What tells its ticket from all others.
    pub key: MadeBy,
    /// Who waited.
    pub who: Who,
    /// Seats asked for.
    pub seats: u32,
    /// Higher was served first.
    pub priority: i8,
    /// When it began, in Unix milliseconds.
    pub queued_ms: i64,
    /// For how many milliseconds it lasted.
    pub waited_ms: u64,
    /// Seats were granted in the end.
    pub was_granted: bool,
    /// The lease that it came to.
    pub lease: Option<MadeBy>,
}

/// A refusal, with its repeats within a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRefusal {
    /// Who was refused.
    pub who: Who,
    /// Seats asked for.
    pub seats: u32,
    /// The first, in Unix milliseconds.
    pub first_ms: i64,
    /// The last.
    pub last_ms: i64,
    /// Whether it would have waited; none: that was not kept.
    pub would_wait: Option<bool>,
    /// Whether more seats would have spared it.
    pub seats_help: bool,
}
