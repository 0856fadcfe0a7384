//! Who leads a site that several managers share.

use std::time::Duration;

use crate::rows::ServerRow;

/// A manager that would lead its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The name of its computer.
    pub name: String,
    /// The URL of its console.
    pub address: String,
    /// For how long it leads unless it renews that; whole milliseconds.
    pub lease: Duration,
    /// A process that is known to have ended: if it led last, its lease is not waited for.
    pub ended: Option<String>,
}

/// Who leads a site, or led it last. Times are Unix milliseconds on the clock of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leader {
    /// Counts the leads: the next is greater. 0: nobody led yet.
    pub epoch: i64,
    /// The process that leads, random.
    pub holder: String,
    /// As in [`Candidate::name`].
    pub name: String,
    /// As in [`Candidate::address`].
    pub address: String,
    /// Since when it leads.
    pub since_ms: i64,
    /// When its lease ends or ended.
    pub expires_ms: i64,
    /// Whether it gave the lead up, as a manager that is stopped does.
    pub gave_up: bool,
    /// When this was read.
    pub at_ms: i64,
}

impl Leader {
    /// Whether it leads still.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.expires_ms > self.at_ms
    }
}

/// What came of standing for the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Election {
    /// This manager leads.
    Leads {
        /// The number of its lead: see [`Leader::epoch`].
        epoch: i64,
        /// Who led before.
        before: Leader,
        /// Since when this one leads; Unix milliseconds on the clock of the database.
        since_ms: i64,
    },
    /// That one leads.
    Follows(Leader),
}

/// What a manager shows that does not lead, beside what it reads when somebody asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The servers that are watched, by name.
    pub servers: Vec<ServerRow>,
    /// How the leader sees servers, by their names, as it wrote that down.
    pub views: Vec<(String, String)>,
    /// The message rules as JSON; none: they were never set.
    pub rules: Option<String>,
    /// The thresholds as JSON; none: they were never set.
    pub thresholds: Option<String>,
    /// The manager's tokens as JSON; none: there never were any.
    pub tokens: Option<String>,
    /// The number of the last message; 0: there is none.
    pub last_record: i64,
}
