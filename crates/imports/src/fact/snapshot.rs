//! What a server says that it holds at an instant.

use jiff::Timestamp;

use super::feature::{Feature, Holder};

/// What a server says of one pool of a feature at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was asked.
    pub at: Timestamp,
    /// Of which server, as it is named (`port@host`), if it is told.
    pub server: Option<String>,
    /// The feature.
    pub feature: Feature,
    /// Seats that there are; none: uncounted.
    pub issued: Option<u64>,
    /// Seats in use, as the server says; none: it does not say, or cannot.
    pub in_use: Option<u64>,
    /// Who has seats.
    pub held: Vec<Held>,
    /// Seats that are reserved: for whom, and how many.
    pub reserved: Vec<(String, u32)>,
    /// Who waits, and for how many seats.
    pub queued: Vec<(Holder, u32)>,
    /// Why it cannot say more, such as a daemon that is down.
    pub trouble: Option<String>,
}

/// A seat in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The person and the computer.
    pub holder: Holder,
    /// Seats.
    pub seats: u32,
    /// The version in use.
    pub version: Option<String>,
    /// Since when, if it is told.
    pub since: Option<Timestamp>,
    /// It lingers: its holder has ended it, and the server keeps it for that many seconds more.
    pub linger_seconds: Option<u64>,
    /// It is borrowed until then.
    pub borrowed_until: Option<Timestamp>,
}
