//! The facts of a metering server from which concerns are judged. Times are Unix milliseconds on
//! its clock.

/// Everything that one server tells at one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// When it was told.
    pub at_ms: i64,
    /// Entitlements that end.
    pub entitlements: Vec<EntitlementFact>,
    /// Products that grant seats.
    pub products: Vec<ProductFact>,
    /// How many computers have an agent.
    pub computers: u64,
    /// Those of which something is worth saying.
    pub agents: Vec<AgentFact>,
    /// The disk of the data directory; none if it could not be asked.
    pub disk: Option<DiskFact>,
    /// Backups; none if that is not known.
    pub backup: Option<BackupFact>,
    /// The pack; none if the server has none.
    pub pack: Option<PackFact>,
    /// Rules whose programs still run and no longer match.
    pub quiet_rules: Vec<QuietRule>,
    /// Since when it is paused; none: it is not.
    pub paused_since_ms: Option<i64>,
    /// The version that came last, if another was there before.
    pub upgrade: Option<UpgradeFact>,
    /// The last end of the server by a panic.
    pub ended: Option<EndedFact>,
    /// Panics that ended requests or items alone.
    pub caught: Option<CaughtFact>,
    /// A write-ahead log that a reader keeps from being taken in.
    pub held_log: Option<HeldLogFact>,
    /// Who was turned away at the door, the last first.
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
    /// Why: many may be behind one address.
    pub reasons: Vec<TurnedAwayReason>,
    /// The first time; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// The last time; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// How often one was turned away.
    pub times: u64,
}

/// One reason for which somebody at an address was turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAwayReason {
    /// What they were told, or what they found.
    pub why: String,
    /// The first time; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// The last time; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// How often one was turned away.
    pub times: u64,
    /// The ids of the computers whose agents they are, as far as they are known.
    pub computers: Vec<String>,
}

/// A long write-ahead log that a reader keeps from being taken in.
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
    /// The thread or task.
    pub thread: String,
    /// What the panic said.
    pub what: String,
}

/// Panics that ended requests or items alone, since a server or an agent was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtFact {
    /// How many there were since the role started.
    pub count: u64,
    /// When the last one happened; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// What was handled, and what the last said.
    pub last: String,
}

/// An entitlement that ends.
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
    /// The first instant at which it is valid no more.
    pub ends_ms: i64,
    /// The last day on which it is valid, if its end was given as a day.
    pub last_day: Option<String>,
    /// Seats of the product just before, without what takes over.
    pub seats_before: u64,
    /// Seats of the product from then on, with what takes over within a day.
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
    /// Checkouts that were refused for want of a seat within the last hour.
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
    /// What it allowed when it last had no server; none: nothing.
    pub unreached: Option<Unreached>,
    /// Its last end by a panic.
    pub ended: Option<EndedFact>,
    /// Panics that ended requests or items of it alone.
    pub caught: Option<CaughtFact>,
}

/// Starts that an agent allowed while it could reach no server, in one stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// How many starts were allowed without a server.
    pub starts: u64,
    /// The last of them.
    pub last_ms: i64,
    /// Of which products; not more than a few.
    pub products: Vec<String>,
}

/// The disk that a data directory is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskFact {
    /// Bytes that the server may still fill.
    pub free_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
}

/// Backups of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupFact {
    /// The last one; none: there never was one.
    pub last_ms: Option<i64>,
    /// Since when there is anything to back up.
    pub data_since_ms: i64,
}

/// The upkeep of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackFact {
    /// When it is to run next, or was to.
    pub due_ms: i64,
    /// It runs now.
    pub runs: bool,
}

/// A version that came in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeFact {
    /// The version before.
    pub from: String,
    /// The version that serves.
    pub to: String,
    /// When it began to serve; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// When its first scheduled pack was done; none: it is still to come.
    pub packed_ms: Option<i64>,
    /// What became of the last pack since then, if it failed.
    pub pack_failed: Option<String>,
}

/// A rule whose programs are started still, and are no longer recognised by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietRule {
    /// The product, by its name for people.
    pub product: String,
    /// The rule.
    pub rule: String,
    /// When it last matched; Unix milliseconds, wall clock.
    pub last_matched_ms: i64,
    /// What is started since, of no product, if that was started before.
    pub seen_as: String,
    /// On how many computers.
    pub computers: u64,
    /// When that was seen first.
    pub seen_since_ms: i64,
}
