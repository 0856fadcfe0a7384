//! The clocks: those that nobody sets, for durations, and the one that people set, for dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::system::clock as system;

/// Which boot of the computer this is: another text after each boot. None if the system does not
/// say.
pub fn boot_id() -> Option<String> {
    system::boot_id()
}

/// Since the computer was booted, sleep counted.
pub fn since_boot() -> Duration {
    system::since_boot()
}

/// Since the computer was booted, without the time that it slept.
pub fn awake() -> Duration {
    system::awake()
}

/// Unix milliseconds on the wall clock; negative before 1970.
pub fn wall_ms() -> i64 {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => ms(since),
        Err(before) => -ms(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_go_on_and_one_boot_has_one_id() {
        let (boot, awake) = (since_boot(), super::awake());
        assert!(boot > Duration::ZERO && since_boot() >= boot);
        assert!(super::awake() >= awake);
        // What is counted of sleep is never less than without it, but for their grain.
        assert!(since_boot() + Duration::from_millis(100) >= awake);
        assert_eq!(boot_id(), boot_id());
        assert!(wall_ms() > 1_600_000_000_000);
    }
}
