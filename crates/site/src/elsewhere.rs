//! What a site takes in of what other licence servers count: the rows of imports. Times are Unix
//! milliseconds, texts are as the file writes them.

/// A row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereRow {
    /// What tells it from all other rows of its source, whatever the import.
    pub key: String,
    /// What it says.
    pub what: Elsewhere,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// Somebody used something.
    Use(ElsewhereUse),
    /// Somebody was refused.
    Denial(ElsewhereDenial),
    /// Somebody waited.
    Wait(ElsewhereWait),
    /// What a server said that it holds of a product at an instant.
    Level(ElsewhereLevel),
    /// A sum of uses.
    Sum(ElsewhereSum),
    /// A time of which nothing is known.
    Silence(ElsewhereSilence),
    /// A daemon's own count.
    Peak(ElsewherePeak),
    /// What is owned: those of the last finished import of a source and kind are valid.
    Entitlement(ElsewhereEntitlement),
    /// A rule of an options file: those of the last finished import of a source and kind are valid.
    Limit(ElsewhereLimit),
}

/// Who used, asked or waited, and on which computer; empty: the file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The account.
    pub user: String,
    /// The computer.
    pub computer: String,
}

/// A use. One of a key that is known completes what is stored as long as that has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereUse {
    /// Product id.
    pub product: String,
    /// Who, and on which computer.
    pub holder: Holder,
    /// Seats.
    pub seats: u32,
    /// The program by file name.
    pub program: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// Its first instant.
    pub started_ms: i64,
    /// The first instant behind it; none: that is not known.
    pub ended_ms: Option<i64>,
    /// Without an end: the last instant at which it was seen; none: it still runs.
    pub seen_ms: Option<i64>,
    /// How it ended, in a word.
    pub ending: Option<String>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereDenial {
    /// Product id.
    pub product: String,
    /// Who, and on which computer.
    pub holder: Holder,
    /// Seats asked for.
    pub seats: u32,
    /// The version that was asked for.
    pub version: Option<String>,
    /// When it was refused.
    pub at_ms: i64,
    /// Why, in a word.
    pub reason: String,
    /// Why, in the words of the file.
    pub words: String,
}

/// A wait. One of a key that is known completes what is stored as long as that has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereWait {
    /// Product id.
    pub product: String,
    /// Who, and on which computer.
    pub holder: Holder,
    /// Seats asked for.
    pub seats: u32,
    /// Its first instant.
    pub queued_ms: i64,
    /// The first instant behind it; none: that is not known.
    pub ended_ms: Option<i64>,
    /// Without an end: the last instant at which it was seen; none: it goes on.
    pub seen_ms: Option<i64>,
    /// Whether it came to a seat; none: that is not known.
    pub granted: Option<bool>,
}

/// What a server said of a product at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereLevel {
    /// Product id.
    pub product: String,
    /// Which server, as it is named there.
    pub server: Option<String>,
    /// When it was asked.
    pub at_ms: i64,
    /// Seats that there are; none: uncounted, or not told.
    pub issued: Option<u64>,
    /// Seats in use; none: not told.
    pub in_use: Option<u64>,
    /// Seats that are reserved.
    pub reserved: u64,
    /// Seats that are waited for.
    pub queued: u64,
    /// Why no more is told.
    pub trouble: Option<String>,
}

/// A sum of uses. One of a key that is known completes what is stored if a figure of it is larger, as
/// one of a month that was not over does: the larger of each is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereSum {
    /// Product id.
    pub product: String,
    /// Of whom; none: of all people.
    pub user: Option<String>,
    /// On which computer; none: on all.
    pub computer: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// The first instant of the time.
    pub from_ms: Option<i64>,
    /// The first instant behind it.
    pub to_ms: Option<i64>,
    /// How many uses there were.
    pub starts: Option<u64>,
    /// Seconds of use, of all uses together.
    pub seconds: Option<u64>,
    /// How many people.
    pub users: Option<u64>,
    /// When it was last used.
    pub last_used_ms: Option<i64>,
}

/// A time of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereSilence {
    /// Its first instant.
    pub from_ms: i64,
    /// The first instant behind it; the same: a server did not answer then.
    pub to_ms: i64,
    /// Which server; none: all of the source.
    pub server: Option<String>,
    /// Which daemon; none: all.
    pub daemon: Option<String>,
    /// Why, in the words of the file.
    pub why: Option<String>,
}

/// A daemon's own count of the most seats in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewherePeak {
    /// Product id; none: all that the daemon serves.
    pub product: Option<String>,
    /// The daemon.
    pub daemon: Option<String>,
    /// Seats.
    pub seats: u64,
    /// When the daemon says that it was.
    pub at_ms: Option<i64>,
}

/// What is owned. Days are written as `2026-12-31`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereEntitlement {
    /// Product id.
    pub product: String,
    /// The highest version that it is for.
    pub version: Option<String>,
    /// Seats; none: uncounted.
    pub seats: Option<u32>,
    /// Seats that may be used beyond.
    pub overdraft: u32,
    /// The first day.
    pub from_day: Option<String>,
    /// The last day; none: for ever.
    pub to_day: Option<String>,
    /// What counts as one use.
    pub grouping: Option<String>,
    /// The computer that it is bound to.
    pub host_id: Option<String>,
    /// Product ids of what it consists of.
    pub components: Vec<String>,
    /// Why its seats do not count; none: they do.
    pub set_aside: Option<String>,
    /// A note of the file.
    pub note: Option<String>,
}

/// A rule of an options file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElsewhereLimit {
    /// Product id; none: all that the daemon serves.
    pub product: Option<String>,
    /// What it does, in a word.
    pub rule: String,
    /// Its number: seats, seconds or hours, as the rule has it.
    pub amount: Option<u64>,
    /// For whom; none: for all.
    pub whom: Option<String>,
    /// The rule as a sentence.
    pub text: String,
}
