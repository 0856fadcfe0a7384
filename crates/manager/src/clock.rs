//! The clocks: one for durations, which nobody can set, and one for dates.

use std::time::Duration;

use jiff::Timestamp;

/// The time since this computer was booted, time asleep included.
pub(crate) fn steady() -> Duration {
    usher_platform::clock::since_boot()
}

/// Unix milliseconds on the wall clock.
pub(crate) fn wall_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A date from Unix milliseconds.
pub(crate) fn date(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
