//! What a site is asked of use, and answers. Times are Unix milliseconds.

use usher_core::usage::{Bucket, Counted, Denied, Gaps, Lines, Wait, Who};

use crate::archive::Archived;
use crate::collected::{Made, Point};

/// A use that has not ended yet, as a server tells it: the history has it when it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningUse {
    /// What runs.
    pub what: Running,
    /// When it began.
    pub from_ms: i64,
    /// The person's realm, if the server tells it.
    pub realm: Option<String>,
    /// The person's name.
    pub user: String,
    /// The computer's name.
    pub computer: String,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Running {
    /// A lease.
    Lease {
        /// The id of its server.
        server: String,
        /// What the server calls it.
        key: Made,
        /// Seats held.
        seats: u32,
    },
    /// A session.
    Session {
        /// The lease that it has: the id of its server, and what that calls it.
        lease: Option<(String, Made)>,
    },
}

/// A question about the use of one product.
#[derive(Debug, Clone)]
pub struct UsedAsked {
    /// The product's id.
    pub product: String,
    /// Who counts it.
    pub counted: Counted,
    /// The stretches of time, in order, that do not overlap. An answer takes memory for each of
    /// them and for everybody who has a use in one.
    pub buckets: Vec<Bucket>,
    /// Nothing counts from here on.
    pub now_ms: i64,
    /// When nobody looked.
    pub gaps: Gaps,
    /// What of it still runs.
    pub running: Vec<RunningUse>,
    /// What is asked of it.
    pub parts: UsedParts,
}

/// What is asked of the use of a product. What is not asked takes no time, and may be empty in the
/// answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsedParts {
    /// Uses, and seats in use.
    pub levels: bool,
    /// Different people and computers.
    pub who: bool,
    /// Refusals and waits.
    pub wants: bool,
}

impl UsedParts {
    /// Everything.
    pub const ALL: UsedParts = UsedParts {
        levels: true,
        who: true,
        wants: true,
    };
}

/// What is known of the use of a product in each bucket that was asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// What was used; what is reserved and owned is not in it.
    pub lines: Lines,
    /// Who used it.
    pub who: Who,
    /// Refusals in that time and shortly before.
    pub denials: Vec<Denied>,
    /// Whom of those that were refused seats were granted to, and when.
    pub granted: Vec<(u64, i64)>,
    /// Waits that began in that time.
    pub waits: Vec<Wait>,
    /// Who tells of what is counted elsewhere.
    pub told: Vec<ToldElsewhere>,
    /// What of it was read from the archive.
    pub archived: Archived,
}

/// Of which times another licence server has told, by imports that are finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldElsewhere {
    /// Whose files they are.
    pub source: String,
    /// The last instant of which any of them tells; none: none says it.
    pub until_ms: Option<i64>,
    /// Of the time that was asked about, what none of them tells of: from, included, to, not
    /// included, in any order.
    pub untold: Vec<(i64, i64)>,
}

/// A product that something is known of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedProduct {
    /// Its id.
    pub product: String,
    /// Who counts it.
    pub counted: Counted,
}

/// What answers about use rest on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedRecord {
    /// The last collected event of each server.
    pub sources: Vec<UsedSource>,
    /// The beginning of the day (UTC) in which the first use of all began that is known; none: none
    /// is. Whether anybody looked before it is not known.
    pub first_day_ms: Option<i64>,
}

/// The last collected event of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedSource {
    /// The server's id.
    pub server: String,
    /// Nothing up to this point is left out.
    pub through: Point,
    /// When the last of it was appended.
    pub at_ms: i64,
}
