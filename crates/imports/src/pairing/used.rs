//! One use: from when to when, of what, by whom.

use jiff::Timestamp;

use crate::fact::{Feature, Holder};

/// How a use ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its holder ended it.
    Checkin,
    /// The daemon took it back from a holder who did nothing.
    Inactive,
    /// The daemon ended, or began anew.
    Daemon,
    /// It has not: it runs at the end of what was read.
    Open,
}

/// One use: package and components of one start are one, of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The feature, or the package.
    pub feature: Feature,
    /// The person and the computer.
    pub holder: Holder,
    /// From this instant on.
    pub from: Timestamp,
    /// Up to, not including, this instant; none: it still runs. Never before `from`.
    pub until: Option<Timestamp>,
    /// Seats that it began with.
    pub seats: u32,
    /// The version that was asked for, if it is told.
    pub version: Option<String>,
    /// The package's components that were started with it.
    pub components: Vec<String>,
    /// How it ended.
    pub ending: Ending,
}
