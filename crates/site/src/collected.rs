//! What a site collects of servers' histories: batches of what has come to its end. Times are Unix
//! milliseconds.

/// A point in the history of a server: behind an event of a life of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The life.
    pub incarnation: u32,
    /// The event.
    pub event: u64,
}

/// Up to where a life of a server's data is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// All up to this point is in the site database.
    pub point: Point,
    /// What the server called it.
    pub cursor: String,
}

/// What was collected at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryBatch {
    /// The server's id.
    pub server: String,
    /// The place after which was asked; none: from the beginning.
    pub asked: Option<Point>,
    /// The point after which the items begin: before `asked` if the server's data were put back.
    pub from: Option<Point>,
    /// Nothing up to this point is left out.
    pub through: Point,
    /// What the server calls it.
    pub cursor: String,
    /// The server's last event.
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

/// A person, whom items name by the server's surrogate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPerson {
    /// The surrogate.
    pub id: String,
    /// The realm.
    pub realm: String,
    /// The account, as it is compared.
    pub account: String,
    /// The account as people are shown it.
    pub name: String,
}

/// A computer, which items name by the server's surrogate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryComputer {
    /// The surrogate.
    pub id: String,
    /// The id that its agent made.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// Something that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// By which event, in which life of the server's data.
    pub at: Point,
    /// Product id.
    pub product: String,
    /// The surrogate of who is counted.
    pub person: String,
    /// The surrogate of the computer.
    pub computer: String,
    /// What it was.
    pub what: Ended,
}

/// What has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A run that an agent saw.
    Session(EndedSession),
    /// A lease.
    Lease(EndedLease),
    /// A refusal, with its repeats.
    Denial(EndedDenial),
    /// A wait for a seat.
    Wait(EndedWait),
}

/// What a server calls something that it made, by a life of its data and an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// The life.
    pub incarnation: u32,
    /// The event.
    pub event: u64,
}

/// A run, as the agent that saw it calls it: the same from whatever server it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The id that the computer's agent made.
    pub computer: String,
    /// The agent's incarnation.
    pub incarnation: u64,
    /// The number of the session.
    pub session: u64,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// What tells it from all others.
    pub key: Run,
    /// The program that began it.
    pub program: String,
    /// Its version.
    pub version: Option<String>,
    /// The surrogate of the account that it ran as, if that is another.
    pub real_person: Option<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// How long it lasted.
    pub duration_ms: u64,
    /// How much of that it had no seat.
    pub unseated_ms: u64,
    /// The lease that it held.
    pub lease: Option<Made>,
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedLease {
    /// What tells it from all others of its server.
    pub key: Made,
    /// Seats held.
    pub seats: u32,
    /// The program, if it was told.
    pub program: Option<String>,
    /// The run that held it.
    pub session: Option<Run>,
    /// It was kept for a start that did not come.
    pub kept: bool,
    /// When it was granted.
    pub granted_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// How long it was held.
    pub held_ms: u64,
    /// Why it ended, as servers say it.
    pub cause: String,
    /// The ticket by which it was waited for.
    pub ticket: Option<Made>,
    /// The first of the leases that it was held with.
    pub with: Option<Made>,
    /// Whoever asked had been refused shortly before.
    pub retry: bool,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedDenial {
    /// What tells it from all others of its server.
    pub key: Made,
    /// Seats asked for.
    pub seats: u32,
    /// Why, as servers say it.
    pub reason: String,
    /// How many times it was repeated within the minute, the first included.
    pub count: u64,
    /// How many of these came after another.
    pub retries: u64,
    /// Whether it would have waited; none: that is not known.
    pub waits: Option<bool>,
    /// The first.
    pub first_ms: i64,
    /// The last.
    pub last_ms: i64,
}

/// A wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedWait {
    /// What tells its ticket from all others of its server.
    pub key: Made,
    /// Seats asked for.
    pub seats: u32,
    /// Higher was served first.
    pub priority: i8,
    /// How it ended, as servers say it.
    pub outcome: String,
    /// Why it was refused, as servers say it.
    pub reason: Option<String>,
    /// The lease that it came to.
    pub lease: Option<Made>,
    /// The first of the tickets that it waited with.
    pub with: Option<Made>,
    /// When it began.
    pub queued_ms: i64,
    /// When it was decided; none: that is not known.
    pub decided_ms: Option<i64>,
    /// How long it lasted; none: that is not known.
    pub waited_ms: Option<u64>,
    /// Whoever waited had been refused shortly before.
    pub retry: bool,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Items that are new.
    pub added: u64,
    /// Items that were there already, and stay as they are.
    pub already: u64,
    /// Items that are no longer on the server, since its data were put back: they stay, and are
    /// marked.
    pub gone: u64,
    /// It does not go on from where the history is collected to: nothing was done.
    pub is_stale: bool,
}
