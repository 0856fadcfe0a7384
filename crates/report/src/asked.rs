//! What a report is asked for, and what the answer rests on.

use jiff::tz::TimeZone;
use usher_api::{AsOf, Cut, ReportParameters, Timestamp};

/// What is asked for, and how much is known of it: the part that is the same for all reports.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What was asked for.
    pub parameters: ReportParameters,
    /// The first instant of the time that it is about.
    pub from: Timestamp,
    /// The first instant after it, which may lie in the future.
    pub to: Timestamp,
    /// The instant at which it is asked.
    pub now: Timestamp,
    /// The zone of its hours, days, weeks and months; one with an IANA name, or UTC.
    pub zone: TimeZone,
    /// Up to which event of which server all is in what was gathered.
    pub as_of: Vec<AsOf>,
    /// Since when rows are kept.
    pub kept: Kept,
    /// What is missing in what was gathered.
    pub cut: Vec<Cut>,
    /// How to read it, a sentence each, beside what the report says itself.
    pub notes: Vec<String>,
}

/// From which instant on rows are all there; none: none of them were removed. What roll-ups say of use is
/// known of earlier times, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Sessions and leases: who used what.
    pub sessions: Option<Timestamp>,
    /// Refusals.
    pub denials: Option<Timestamp>,
    /// Waits.
    pub waits: Option<Timestamp>,
}

/// Something that was gathered, or why it could not be, in words.
pub type Told<T> = Result<T, String>;
