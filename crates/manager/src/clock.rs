//! The clocks: one for durations that nobody sets, one for dates.

use std::time::Duration;

use jiff::Timestamp;

/// Since this computer was booted, sleep counted.
pub(crate) fn steady() -> Duration {
    usher_platform::clock::since_boot()
}

/// Unix milliseconds on the clock that people set.
pub(crate) fn wall_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A date from Unix milliseconds.
pub(crate) fn date(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
