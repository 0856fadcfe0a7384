//! When a status report was taken, if whoever reads it knows.

use jiff::Timestamp;

/// What the caller knows of the time of a status report. A report is read against this, never against
/// today's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The caller asked the server itself at that instant. This wins over the report's own words, which
    /// are exact to a minute at best.
    At(Timestamp),
    /// The report comes from a file that was last written then, if that is known. The report's own words
    /// win.
    Written(Option<Timestamp>),
}
