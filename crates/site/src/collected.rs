//! What a site collects from the histories of servers: batches of what has ended. Times are Unix
//! milliseconds, wall clock.

/// How servers call the end of a lease that was granted to a ticket and not fetched: it was no use.
pub(crate) const UNCLAIMED: &str = "unclaimed";

/// A point in the history of a server: just after an event of a life of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The incarnation (life) of the server's data.
    pub incarnation: u32,
    /// The number of the event.
    pub event: u64,
}

/// Up to which point a life of a server's data is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Everything up to this point is in the site database.
    pub point: Point,
    /// The server's cursor for this point.
    pub cursor: String,
}

/// The items of one page, collected from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryBatch {
    /// The server's id.
    pub server: String,
    /// The requested point; none: the beginning.
    pub asked: Option<Point>,
    /// The point after which the items begin: before `asked` if the server was restored from a
    /// backup.
    pub from: Option<Point>,
    /// The history is complete up to this point.
    pub through: Point,
    /// The server's cursor for that point.
    pub cursor: String,
    /// The number of the server's last event.
    pub head_event: u64,
    /// When it was collected.
    pub at_ms: i64,
    /// The people in the items.
    pub people: Vec<HistoryPerson>,
    /// The computers in the items.
    pub computers: Vec<HistoryComputer>,
    /// The items.
    pub items: Vec<HistoryItem>,
}

impl HistoryBatch {
    /// Joins a batch of the same server that goes on where this one ends: both are appended in one
    /// transaction then.
    pub fn join(&mut self, next: HistoryBatch) {
        self.through = next.through;
        self.cursor = next.cursor;
        self.head_event = next.head_event;
        self.at_ms = next.at_ms;
        self.people.extend(next.people);
        self.computers.extend(next.computers);
        self.items.extend(next.items);
    }
}

/// A person, to whom items refer by the server's surrogate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPerson {
    /// The surrogate.
    pub id: String,
    /// The realm of the account.
    pub realm: String,
    /// The account, as it is compared.
    pub account: String,
    /// The account as people see it.
    pub name: String,
}

/// A computer, to which items refer by the server's surrogate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryComputer {
    /// The surrogate.
    pub id: String,
    /// The id that its agent made, or the name that a request gave.
    pub key: String,
    /// The name of the computer.
    pub name: String,
}

/// Something that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// The event that ended it, in a life of the server's data.
    pub at: Point,
    /// Product id.
    pub product: String,
    /// The surrogate of the person who is counted.
    pub person: String,
    /// The surrogate of the computer.
    pub computer: String,
    /// What has ended.
    pub what: Ended,
}

impl HistoryItem {
    /// When it began.
    pub(crate) fn begun_ms(&self) -> i64 {
        match &self.what {
            Ended::Session(it) => it.started_ms,
            Ended::Lease(it) => it.granted_ms,
            Ended::Denial(it) => it.first_ms,
            Ended::Wait(it) => it.queued_ms,
        }
    }
}

/// What has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A session that an agent saw.
    Session(EndedSession),
    /// A lease.
    Lease(EndedLease),
    /// A refusal, with its repeats.
    Denial(EndedDenial),
    /// A wait for a seat.
    Wait(EndedWait),
}

/// The key of something that a server made: a life of its data, and an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// The incarnation (life) of the server's data.
    pub incarnation: u32,
    /// The number of the event.
    pub event: u64,
}

/// The key of a session, as its agent numbers it: the same from every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The id that the computer's agent made.
    pub computer: String,
    /// The agent's incarnation.
    pub incarnation: u64,
    /// The number of the session.
    pub session: u64,
}

/// A session that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// Its key.
    pub key: Run,
    /// The program that began it, by file name.
    pub program: String,
    /// The version of the program, if the agent knows it.
    pub version: Option<String>,
    /// The surrogate of the account that it ran as, if that is another.
    pub real_person: Option<String>,
    /// When it began, by the clock of its computer.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// How long it lasted, in milliseconds.
    pub duration_ms: u64,
    /// For how many of these milliseconds it had no seat.
    pub unseated_ms: u64,
    /// The lease that it held.
    pub lease: Option<Made>,
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedLease {
    /// Its key on the server.
    pub key: Made,
    /// Seats held.
    pub seats: u32,
    /// The program that it was for, if the request named one.
    pub program: Option<String>,
    /// The session that held it; none: it was checked out by name.
    pub session: Option<Run>,
    /// Whether it was kept for a later start that never came.
    pub kept: bool,
    /// When it was granted.
    pub granted_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// How long it was held, in milliseconds.
    pub held_ms: u64,
    /// Why it ended, in the server's word.
    pub cause: String,
    /// The ticket that waited for it.
    pub ticket: Option<Made>,
    /// The first of the leases that it was held with.
    pub with: Option<Made>,
    /// Whether the same person had been refused shortly before.
    pub retry: bool,
}

/// A refusal and its repeats within a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedDenial {
    /// Its key on the server.
    pub key: Made,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused, in the server's word.
    pub reason: String,
    /// How many times it was repeated within the minute, the first included.
    pub count: u64,
    /// How many of these followed an earlier refusal of the same person, computer and product.
    pub retries: u64,
    /// Whether the request would have waited; none: that is not known.
    pub waits: Option<bool>,
    /// When it was first refused.
    pub first_ms: i64,
    /// When it was last refused.
    pub last_ms: i64,
}

/// A wait for a seat that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedWait {
    /// The key of its ticket on the server.
    pub key: Made,
    /// Seats asked for.
    pub seats: u32,
    /// The priority; a higher one was served first.
    pub priority: i8,
    /// How it ended, in the server's word.
    pub outcome: String,
    /// Why it was refused, in the server's word.
    pub reason: Option<String>,
    /// The lease that was granted to it.
    pub lease: Option<Made>,
    /// The first of the tickets that it waited with.
    pub with: Option<Made>,
    /// When it began.
    pub queued_ms: i64,
    /// When the wait ended; none: that is not known.
    pub decided_ms: Option<i64>,
    /// How long it waited, in milliseconds; none: that is not known.
    pub waited_ms: Option<u64>,
    /// Whether the same person had been refused shortly before.
    pub retry: bool,
}

/// The result of appending a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many items were new.
    pub added: u64,
    /// How many items were there already; they stay unchanged.
    pub already: u64,
    /// How many items were marked as no longer on the server, because the server was restored from
    /// a backup. They stay.
    pub gone: u64,
    /// How many items were over before the rows that are kept: they are not taken in.
    pub past: u64,
    /// The batch does not continue the collected history: nothing was appended.
    pub is_stale: bool,
}
