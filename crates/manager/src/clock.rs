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

/// A clock that is off by less than this was not set: its readings are only not at one instant.
const SET_MS: u64 = 1_000;

/// When something began, dated anew from how long it has lasted. Two clocks are never read at one
/// instant, so the date that it has already is kept, unless somebody has set the clock. Unix
/// milliseconds.
pub(crate) fn dated(known_ms: Option<i64>, anew_ms: i64) -> i64 {
    match known_ms {
        Some(known) if known.abs_diff(anew_ms) < SET_MS => known,
        _ => anew_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_date_keeps_it_until_the_clock_is_set() {
        assert_eq!(dated(None, 5_000), 5_000);
        assert_eq!(dated(Some(5_000), 5_999), 5_000);
        assert_eq!(dated(Some(5_000), 4_001), 5_000);
        assert_eq!(dated(Some(5_000), 6_000), 6_000);
        assert_eq!(dated(Some(5_000), 4_000), 4_000);
        assert_eq!(dated(Some(i64::MIN), i64::MAX), i64::MAX);
    }
}
