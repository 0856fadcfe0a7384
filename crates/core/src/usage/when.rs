//! Unix milliseconds as an instant of the calendar.

use jiff::Timestamp;

/// What lies outside the calendar is its first or its last instant.
pub(super) fn timestamp(ms: i64) -> Timestamp {
    let end = match ms < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    };
    Timestamp::from_millisecond(ms).unwrap_or(end)
}
