//! Rows of an import: what a file says, each with its key.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest key of a row, in bytes.
pub const IMPORT_KEY_LIMIT_BYTES: usize = 64;
/// The most rows of one body.
pub const IMPORT_ROWS_LIMIT: usize = 10_000;
/// The longest text of a row that is no name (why a seat was refused, a sentence of an options file), in
/// bytes.
pub const IMPORT_TEXT_LIMIT_BYTES: usize = 1_000;

/// A row with what tells it from all others of its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportRow {
    /// A hash of the fields that do not change while a file grows, and the row's ordinal among rows that
    /// have these fields in common. Compare it as a whole. At most 64 bytes.
    pub key: String,
    /// What it says.
    #[serde(flatten)]
    pub what: Imported,
}

/// What a row says. Take an unknown kind as nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum Imported {
    /// Somebody used something.
    Use(ImportedUse),
    /// Somebody was refused.
    Denial(ImportedDenial),
    /// Somebody waited.
    Wait(ImportedWait),
    /// What a server said that it holds of a product at an instant.
    Level(ImportedLevel),
    /// What a file sums up of uses, without each of them.
    Summed(ImportedSum),
    /// What is owned, and counted elsewhere.
    Entitlement(ImportedEntitlement),
    /// What an options file reserves, limits or refuses.
    Limit(ImportedLimit),
    /// For a time nothing is known.
    Silence(ImportedSilence),
    /// A daemon's own count of the most seats in use.
    DaemonPeak(ImportedDaemonPeak),
    /// Something that a later version tells of.
    #[serde(other)]
    Unknown,
}

/// A use: from its start up to, not including, its end.
///
/// The key leaves out `ended_at` and `seen_until`: a row of a key that is known completes what is stored,
/// if that has no end yet. A stored end stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedUse {
    /// Product id.
    pub product: String,
    /// The account, as the file writes it; empty: the file does not say.
    pub user: String,
    /// The computer, as the file names it; empty: the file does not say.
    pub computer: String,
    /// When it began. Of a snapshot that does not say: when it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended; null: the file does not say.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Of a use without an end: the last instant of which the file says that it runs. It counts up to
    /// then. Null with `ended_at` null: it still runs, and counts up to now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_until: Option<Timestamp>,
    /// Seats, at least 1.
    pub seats: u32,
    /// The version, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The program by file name, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// How it ended: `checkin`, `inactive` (taken back from a holder who did nothing), `daemon` (the
    /// daemon ended), `not_seen` (the next report shows it no more), or null: it has not, or that is not
    /// told. Take an unknown word as null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
}

/// A refusal: one line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedDenial {
    /// Product id.
    pub product: String,
    /// The account, as the file writes it.
    pub user: String,
    /// The computer, as the file names it.
    pub computer: String,
    /// The instant of the line.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Seats asked for.
    pub seats: u32,
    /// The version that was asked for, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file's reason.
    pub reason: ImportedReason,
    /// The reason in the file's words, without names.
    pub words: String,
}

/// Why somebody was refused elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportedReason {
    /// All seats were in use.
    NoSeat,
    /// A rule of the site forbids it (an options file's EXCLUDE, MAX and their like).
    NotAllowed,
    /// The server does not serve such a feature, or not that version of it.
    NotServed,
    /// Something else, or the file does not say.
    #[serde(other)]
    Other,
}

/// A wait. The key leaves out `ended_at` and `granted`, as that of a use leaves out its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedWait {
    /// Product id.
    pub product: String,
    /// The account, as the file writes it.
    pub user: String,
    /// The computer, as the file names it.
    pub computer: String,
    /// When it began. Of a snapshot: when it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// When it ended; null: the file does not say.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Of a wait without an end: the last instant of which the file says that it goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_until: Option<Timestamp>,
    /// Seats asked for.
    pub seats: u32,
    /// Whether it came to a seat; null: the file does not say.
    pub granted: Option<bool>,
}

/// What a server said of a product at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedLevel {
    /// Product id.
    pub product: String,
    /// Which server, as it is named (`port@host`), if it is told. Counts of several servers are never
    /// added up if a request must fit on one.
    pub server: Option<String>,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Seats that there are; null: uncounted, or not told.
    pub issued: Option<u64>,
    /// Seats in use; null: not told.
    pub in_use: Option<u64>,
    /// Seats that are reserved for somebody.
    pub reserved: u64,
    /// Seats that are waited for.
    pub queued: u64,
    /// Why no more is told, in the report's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What a file sums up of uses. What it does not say is null, never 0.
///
/// The key leaves out what grows (`starts`, `seconds`, `users`, `last_used`): of rows of one key the
/// larger of each is kept, and a row that enlarges any completes what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedSum {
    /// Product id.
    pub product: String,
    /// The account; null: of all people.
    pub user: Option<String>,
    /// The computer; null: of all computers.
    pub computer: Option<String>,
    /// The version, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The first instant of the time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The first instant after the time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// How many uses there were.
    pub starts: Option<u64>,
    /// Seconds of use, of all uses together.
    pub seconds: Option<u64>,
    /// How many people.
    pub users: Option<u64>,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
}

/// What is owned by the word of a licence file, or of a server, and counted elsewhere.
///
/// Entitlements and limits are a state: those of the last finished import of a source and kind are valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedEntitlement {
    /// Product id.
    pub product: String,
    /// The highest version that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seats; null: uncounted.
    pub seats: Option<u32>,
    /// Seats that may be used beyond.
    pub overdraft: u32,
    /// The first day.
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// The last day; null: for ever.
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
    /// What counts as one use, as the file writes it (`UHD`: one user at one host and display).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<String>,
    /// The computer that it is bound to, as the file writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// Product ids of what it consists of, if it is a package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Why its seats do not count, such as a newer line that supersedes it; null: they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// A note, serial number or the like of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One rule of an options file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedLimit {
    /// Product id; null: all that the daemon serves.
    pub product: Option<String>,
    /// What the rule does: `reserve`, `at_most`, `include`, `exclude`, the latter two also with `_borrow`
    /// and `_activate` behind, `timeout`, `linger`, `not_borrowable`, `not_activatable`, `borrow_hours` or
    /// `overdraft`. Show an unknown word as it is.
    pub rule: String,
    /// The rule's number: seats, seconds or hours, as `rule` has it; null: it has none.
    pub amount: Option<u64>,
    /// For whom: `user ann`, `group staff`, `host pc1`; null: for all.
    pub whom: Option<String>,
    /// The rule as a sentence.
    pub text: String,
}

/// A time of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedSilence {
    /// From this instant on.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Up to, not including, this instant; the same: a server did not answer when it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Which server, as it is named (`port@host`); null: the source's.
    pub server: Option<String>,
    /// Which daemon; null: all.
    pub daemon: Option<String>,
    /// Why, in the file's words, if it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A daemon's own count of the most seats in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedDaemonPeak {
    /// Product id; null: all clients of the daemon together.
    pub product: Option<String>,
    /// The daemon, if it is told.
    pub daemon: Option<String>,
    /// The most at once.
    pub seats: u64,
    /// When the daemon says that it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}
