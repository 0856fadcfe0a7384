//! Uses and wishes: one line of a log, a whole use of a table, or a sum of many.

use jiff::Timestamp;

use super::feature::{Feature, Holder, Product};

/// A use, or a wish for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The instant of the line.
    pub at: Timestamp,
    /// The feature that is used or asked for.
    pub feature: Feature,
    /// The person and the computer.
    pub holder: Holder,
    /// Seats: the `(N licenses)` of a line, else 1.
    pub seats: u32,
    /// The version that was asked for, if it is told.
    pub version: Option<String>,
    /// What tells the lines of one use from those of another, if the file has such: a handle or a
    /// connection's number.
    pub handle: Option<String>,
    /// The package that the component belongs to, if the line says so: package and component of one
    /// start are one use.
    pub package: Option<String>,
}

/// A whole use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The product or feature that was used.
    pub product: Product,
    /// The person and the computer.
    pub holder: Holder,
    /// Seats that it had.
    pub seats: u32,
    /// The version, if it is told.
    pub version: Option<String>,
    /// The program, if it is told.
    pub program: Option<String>,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; none: it still runs.
    pub until: Option<Timestamp>,
    /// The row that says so, from 1: it tells rows of the same content from each other.
    pub row: u64,
}

/// What a file sums up of uses. What it does not say is none, never 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summed {
    /// The product or feature that was used.
    pub product: Product,
    /// Who; none: of all people and computers.
    pub holder: Option<Holder>,
    /// The version, if it is told.
    pub version: Option<String>,
    /// The first instant of the span.
    pub from: Option<Timestamp>,
    /// The first instant after the span.
    pub to: Option<Timestamp>,
    /// How many uses there were.
    pub starts: Option<u64>,
    /// Seconds of use, of all uses together.
    pub seconds: Option<u64>,
    /// How many people.
    pub users: Option<u64>,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// The row that says so, from 1.
    pub row: u64,
}
