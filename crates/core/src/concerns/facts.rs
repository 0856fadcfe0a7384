//! The facts of a metering server from which concerns are judged. Times are Unix milliseconds on
//! its clock.

/// Everything that one server reported at one poll.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// When it was reported.
    pub at_ms: i64,
    /// Entitlements that have an end.
    pub entitlements: Vec<EntitlementFact>,
    /// Products that have seats.
    pub products: Vec<ProductFact>,
    /// How many computers have an agent.
    pub computers: u64,
    /// Computers about which there is something to report.
    pub agents: Vec<AgentFact>,
    /// The disk of the data directory; none if the system did not tell.
    pub disk: Option<DiskFact>,
    /// Backups; none if that is not known.
    pub backup: Option<BackupFact>,
    /// The pack; none if the server does not pack.
    pub pack: Option<PackFact>,
    /// Rules that no longer match programs which are still started.
    pub quiet_rules: Vec<QuietRule>,
    /// Since when it is paused; none: it is not.
    pub paused_since_ms: Option<i64>,
    /// The last upgrade of the server; none if this is its first version.
    pub upgrade: Option<UpgradeFact>,
    /// The last time that a panic ended the server.
    pub ended: Option<EndedFact>,
    /// Panics that ended only one request or item.
    pub caught: Option<CaughtFact>,
    /// A write-ahead log whose checkpoint a reader prevents.
    pub held_log: Option<HeldLogFact>,
    /// Addresses from which agents or clients were turned away, the latest first.
    pub turned_away: Vec<TurnedAwayFact>,
    /// Its history, if a manager cannot collect it.
    pub history: Option<HistoryFact>,
}

/// A history that a manager cannot collect, on the manager's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFact {
    /// The first try that failed since one did not; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// How long ago that was, in milliseconds.
    pub failing_ms: i64,
    /// Why the last try failed.
    pub why: String,
}

/// Agents or clients at one address that were turned away, for their token or for the certificate
/// that they were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAwayFact {
    /// The address.
    pub address: String,
    /// The reasons; several computers may share one address.
    pub reasons: Vec<TurnedAwayReason>,
    /// The first time; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// The last time; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// How often agents or clients were turned away.
    pub times: u64,
}

/// One reason for which agents or clients at an address were turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAwayReason {
    /// The reason in words: what the server answered, or what the client found.
    pub why: String,
    /// The first time; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// The last time; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// How often agents or clients were turned away.
    pub times: u64,
    /// The ids of the computers whose agents these are, as far as the server knows them.
    pub computers: Vec<String>,
}

/// A long write-ahead log whose checkpoint a reader prevents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLogFact {
    /// The size of the log, in bytes.
    pub bytes: u64,
    /// The processes that read the data file; empty if the system does not tell.
    pub readers: Vec<String>,
}

/// The end of a role by a panic; it was restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedFact {
    /// When the role ended; Unix milliseconds, wall clock.
    pub at_ms: i64,
    /// The thread or task that panicked.
    pub thread: String,
    /// The text of the panic.
    pub what: String,
}

/// Panics of a server or an agent that ended only one request or item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtFact {
    /// How many there were since the role started.
    pub count: u64,
    /// When the last one happened; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// What was handled at the last panic, and the panic's text.
    pub last: String,
}

/// An entitlement that has an end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntitlementFact {
    /// The id of the entitlement.
    pub id: String,
    /// The name that somebody gave it.
    pub name: Option<String>,
    /// The contract, order or invoice that it comes from.
    pub contract: Option<String>,
    /// What its seats cost together, as people read it.
    pub price: Option<String>,
    /// Days before its end by which notice is to be given.
    pub notice_days: Option<u32>,
    /// The product, by its name for people.
    pub product: String,
    /// Its seats, overdraft included.
    pub seats: u64,
    /// The first instant at which it is no longer valid.
    pub ends_ms: i64,
    /// The last day on which it is valid, if its end was given as a day.
    pub last_day: Option<String>,
    /// Seats of the product just before its end, without those of entitlements that take over.
    pub seats_before: u64,
    /// Seats of the product from its end on, with those of entitlements that take over within a
    /// day.
    pub seats_after: u64,
}

/// A product and its seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFact {
    /// The id of the product.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Seats that may be in use, overdraft included.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
    /// Requests that wait.
    pub queued: u64,
    /// Checkouts that were refused within the last hour because no seat was free.
    pub refused_last_hour: u64,
}

/// A computer with an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFact {
    /// The computer's id.
    pub id: String,
    /// The name of the computer, for people.
    pub name: String,
    /// When the agent reported last.
    pub last_seen_ms: i64,
    /// Starts that it allowed when it last could reach no server; none: it allowed none.
    pub unreached: Option<Unreached>,
    /// The last time that a panic ended it.
    pub ended: Option<EndedFact>,
    /// Panics that ended only one request or item of it.
    pub caught: Option<CaughtFact>,
}

/// Starts that an agent allowed during one period without a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// How many starts were allowed without a server.
    pub starts: u64,
    /// When the last of them was.
    pub last_ms: i64,
    /// Some of the products that were started.
    pub products: Vec<String>,
}

/// The disk that holds a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskFact {
    /// Bytes that the server may still fill.
    pub free_bytes: u64,
    /// The size of the disk, in bytes.
    pub total_bytes: u64,
}

/// Backups of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupFact {
    /// When the last one was made; none: there never was one.
    pub last_ms: Option<i64>,
    /// Since when there are data to back up.
    pub data_since_ms: i64,
}

/// The upkeep of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackFact {
    /// When the next pack is due; in the past if it is overdue.
    pub due_ms: i64,
    /// Whether a pack runs now.
    pub runs: bool,
}

/// An upgrade of a server to another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeFact {
    /// The version that served before.
    pub from: String,
    /// The version that serves now.
    pub to: String,
    /// When it began to serve; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// When its first scheduled pack was done; none: it is still to come.
    pub packed_ms: Option<i64>,
    /// Why the last pack since then failed; none: it did not.
    pub pack_failed: Option<String>,
}

/// A rule that no longer matches, though its programs are probably still started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietRule {
    /// The product, by its name for people.
    pub product: String,
    /// The rule.
    pub rule: String,
    /// When it last matched; Unix milliseconds, wall clock.
    pub last_matched_ms: i64,
    /// The program of no product that is started since then on the computers that the rule used to
    /// match.
    pub seen_as: String,
    /// On how many computers it is started.
    pub computers: u64,
    /// When that program was first seen.
    pub seen_since_ms: i64,
}
