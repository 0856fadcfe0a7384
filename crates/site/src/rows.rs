//! What the site database holds, row by row. Times are Unix milliseconds.

use std::fmt;

use usher_core::messages::{Message, Severity};

/// The most messages that one look answers.
pub const MESSAGES_LIMIT: u32 = 1_000;

/// The most spells of trouble that are read at once.
pub const SPELLS_LIMIT: usize = 10_000;

/// What a manager goes on with when it starts. What it set is given back as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumed {
    /// The servers that are watched, by name.
    pub servers: Vec<ServerRow>,
    /// The message rules; none: none were ever set.
    pub rules: Option<String>,
    /// The thresholds; none: none were ever set.
    pub thresholds: Option<String>,
    /// The tokens; none: none were ever set.
    pub tokens: Option<String>,
    /// What waits to be delivered, in the order in which it came.
    pub deliveries: Vec<DeliveryRow>,
    /// Destinations that took nothing the last time.
    pub destinations: Vec<DestinationRow>,
}

/// A message that waits to be delivered. Destination and message are kept as the manager writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The number of its row.
    pub id: i64,
    /// The record of the message, if that is kept.
    pub record_id: Option<i64>,
    /// The rule that says so.
    pub rule: String,
    /// The destination, as the queues name it.
    pub destination: String,
    /// The message.
    pub message: String,
    /// Since when it waits; Unix milliseconds, wall clock.
    pub since_ms: i64,
    /// It was told that it does not go through.
    pub is_told: bool,
}

/// A destination that took nothing the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationRow {
    /// Which, as in [`DeliveryRow::destination`].
    pub destination: String,
    /// Since when nothing goes through.
    pub since_ms: i64,
    /// How often it was tried since then.
    pub tries: u64,
    /// Why the last try failed.
    pub why: String,
    /// How many messages were given up since then.
    pub given_up: u64,
}

/// What a manager goes on with of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTrouble {
    /// The last episode, over or not: the next has the next number.
    pub episode: Option<EpisodeRow>,
    /// The concerns that are not over.
    pub concerns: Vec<ConcernRow>,
}

/// What the end of watching a server has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwatched {
    /// There was one of that name.
    pub was_watched: bool,
    /// The numbers in the catalogue of its messages that were open, and are closed.
    pub closed: Vec<u16>,
}

/// How components stand since a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many messages of each component and severity were last raised since then.
    pub tallies: Vec<Tally>,
    /// What lasted then or later, in the order in which it came: trouble (warnings and errors), and
    /// of what is no trouble that which is open. At most [`SPELLS_LIMIT`]: what is open, and then the
    /// last ones.
    pub spells: Vec<Spell>,
}

/// A metering server that is watched.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerRow {
    /// The name that the manager knows it by.
    pub name: String,
    /// Where its API is.
    pub url: String,
    /// The token that the manager shows it. A secret: the file is its owner's only.
    pub token: String,
    /// Its unit or service on this computer.
    pub unit: Option<String>,
    /// Its data directory on this computer.
    pub data: Option<String>,
    /// When it was added; Unix milliseconds, wall clock.
    pub added_ms: i64,
}

impl fmt::Debug for ServerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerRow")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("unit", &self.unit)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// A message that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its number in this site.
    pub record_id: i64,
    /// The message.
    pub message: Message,
    /// How often it was raised.
    pub count: u64,
    /// When it was last raised; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// When what it tells of was over.
    pub recovered_ms: Option<i64>,
    /// When it may be removed.
    pub keep_until_ms: i64,
    /// Whether it counts in summaries.
    pub summarised: bool,
}

/// Which messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Last raised at that time or later.
    pub since_ms: Option<i64>,
    /// First raised before that time.
    pub until_ms: Option<i64>,
    /// As severe as that, or more.
    pub severity_at_least: Option<Severity>,
    /// Of that component.
    pub component: Option<String>,
    /// Of that number.
    pub id: Option<u16>,
    /// About that server.
    pub server: Option<String>,
    /// Only those that tell of something which is not over.
    pub open: bool,
    /// Only records below that one: the page after it.
    pub below_record: Option<i64>,
    /// Only records above that one: what is new since.
    pub above_record: Option<i64>,
    /// At most so many; never more than [`MESSAGES_LIMIT`].
    pub limit: u32,
}

/// How many messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Of which component.
    pub component: String,
    /// How severe.
    pub severity: Severity,
    /// How many. What repeats is counted each time; trouble that lasts is one, however often it was
    /// seen.
    pub count: u64,
    /// How many of them are of trouble that is over, with what was done against it.
    pub over: u64,
}

/// From when to when trouble of a component lasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// Of which component.
    pub component: String,
    /// How severe.
    pub severity: Severity,
    /// When it began; Unix milliseconds, wall clock.
    pub from_ms: i64,
    /// When it was over; none: it goes on.
    pub to_ms: Option<i64>,
}

/// An episode of trouble of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeRow {
    /// Which server.
    pub server: String,
    /// Its number among those of the server.
    pub number: u64,
    /// The verdict.
    pub verdict: String,
    /// The message about it, if it is kept.
    pub record_id: Option<i64>,
    /// The number of that message in the catalogue.
    pub message_id: u16,
    /// How often it was seen.
    pub count: u64,
    /// When it was first seen; Unix milliseconds, wall clock.
    pub first_ms: i64,
    /// When it was last seen; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// When it was over, none while it lasts; Unix milliseconds, wall clock.
    pub ended_ms: Option<i64>,
}

/// Something about a server that is told of and not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcernRow {
    /// Which server.
    pub server: String,
    /// The number of its message in the catalogue.
    pub message_id: u16,
    /// Which one of its sort.
    pub about: String,
    /// The message about it, if it is kept.
    pub record_id: Option<i64>,
    /// How often it was seen.
    pub count: u64,
}
