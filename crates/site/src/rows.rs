//! The rows of the site database. Times are Unix milliseconds, wall clock.

use std::fmt;

use usher_core::messages::{Message, Severity};

/// The largest number of messages in one answer.
pub const MESSAGES_LIMIT: u32 = 1_000;

/// The largest number of spells of trouble in one answer.
pub const SPELLS_LIMIT: usize = 10_000;

/// What a manager resumes with when it starts. Settings are returned exactly as they were stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resumed {
    /// The servers that are watched, by name.
    pub servers: Vec<ServerRow>,
    /// The message rules as JSON; none: they were never set.
    pub rules: Option<String>,
    /// The thresholds as JSON; none: they were never set.
    pub thresholds: Option<String>,
    /// The manager's tokens as JSON; none: there never were any.
    pub tokens: Option<String>,
    /// Messages that wait to be delivered, in the order in which they came.
    pub deliveries: Vec<DeliveryRow>,
    /// Destinations at which the last delivery failed.
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
    /// The destination, as in [`DeliveryRow::destination`].
    pub destination: String,
    /// Since when every delivery has failed.
    pub since_ms: i64,
    /// How many tries have failed since then.
    pub tries: u64,
    /// Why the last try failed.
    pub why: String,
    /// How many messages were given up since then.
    pub given_up: u64,
}

/// What a manager resumes with for one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTrouble {
    /// The last episode, over or not; the next one gets the next number.
    pub episode: Option<EpisodeRow>,
    /// The open concerns.
    pub concerns: Vec<ConcernRow>,
}

/// The result of removing a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwatched {
    /// Whether a server of that name was watched.
    pub was_watched: bool,
    /// The catalogue numbers of its open messages, which are closed now.
    pub closed: Vec<u16>,
}

/// The messages and the trouble of components since an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// For each component and severity, how many messages were last raised since then.
    pub tallies: Vec<Tally>,
    /// Periods of trouble (warnings and errors) that lasted then or later, and other open messages,
    /// in the order in which they began. At most [`SPELLS_LIMIT`]: the open ones, and then the
    /// latest.
    pub spells: Vec<Spell>,
}

/// A metering server that is watched.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerRow {
    /// The name that the manager knows it by.
    pub name: String,
    /// The URL of its API.
    pub url: String,
    /// The token that the manager sends it. A secret: only the file's owner can read the file.
    pub token: String,
    /// Its systemd unit or service, if it is on this computer.
    pub unit: Option<String>,
    /// Its data directory, if it is on this computer.
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

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The number of its record.
    pub record_id: i64,
    /// The message.
    pub message: Message,
    /// How often it was raised.
    pub count: u64,
    /// When it was last raised; Unix milliseconds, wall clock.
    pub last_ms: i64,
    /// When its trouble was over; none: it is not, or the message is about a single event.
    pub recovered_ms: Option<i64>,
    /// From when on it may be removed.
    pub keep_until_ms: i64,
    /// Whether it counts in summaries.
    pub summarised: bool,
}

/// A filter for messages. Each part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// The message was last raised at that time or later.
    pub since_ms: Option<i64>,
    /// The message was first raised before that time.
    pub until_ms: Option<i64>,
    /// The message is at least as severe.
    pub severity_at_least: Option<Severity>,
    /// The message belongs to that component.
    pub component: Option<String>,
    /// The message has that catalogue number.
    pub id: Option<u16>,
    /// The message is about that server.
    pub server: Option<String>,
    /// Only open messages: their trouble is not over.
    pub open: bool,
    /// Only records with lower numbers: the next page, as the newest come first.
    pub below_record: Option<i64>,
    /// Only records with higher numbers: those that are newer.
    pub above_record: Option<i64>,
    /// The largest number of messages; never more than [`MESSAGES_LIMIT`].
    pub limit: u32,
}

/// The number of messages of one component and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The component.
    pub component: String,
    /// The severity.
    pub severity: Severity,
    /// How many there were. A repeated message counts each time; an episode of trouble counts once,
    /// however often it was seen.
    pub count: u64,
    /// How many of these are about trouble that is over, healing steps included.
    pub over: u64,
}

/// A spell: a period during which a component had trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// The component.
    pub component: String,
    /// The severity.
    pub severity: Severity,
    /// When it began; Unix milliseconds, wall clock.
    pub from_ms: i64,
    /// When it was over; none: it goes on. Unix milliseconds, wall clock.
    pub to_ms: Option<i64>,
}

/// An episode of trouble of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeRow {
    /// The server.
    pub server: String,
    /// The number of the episode, counted for each server.
    pub number: u64,
    /// The verdict during the episode.
    pub verdict: String,
    /// The record of its message; none: the rules do not store it.
    pub record_id: Option<i64>,
    /// The catalogue number of that message.
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

/// An open concern about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcernRow {
    /// The server.
    pub server: String,
    /// The catalogue number of its message.
    pub message_id: u16,
    /// What it is about, such as the id of a product.
    pub about: String,
    /// The record of its message; none: the rules do not store it.
    pub record_id: Option<i64>,
    /// How often it was seen.
    pub count: u64,
}
