//! The clocks: one for durations that nobody sets, one for dates.

use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Since this computer was booted, sleep counted.
pub(crate) fn steady() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// Unix milliseconds on the clock that people set.
pub(crate) fn wall_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A date from Unix milliseconds.
pub(crate) fn date(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
