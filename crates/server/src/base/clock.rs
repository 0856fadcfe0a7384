//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock in Unix milliseconds: for dates, never for durations.
pub(crate) fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}
