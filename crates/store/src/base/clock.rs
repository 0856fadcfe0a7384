//! The clocks that a ledger is told.

use std::sync::OnceLock;
use std::time::Instant;

use usher_platform::clock;

/// The clocks of a computer.
pub trait Clock: Send + Sync {
    /// An id of the current boot of the computer, different after each boot.
    fn boot_id(&self) -> String;
    /// Milliseconds since that boot, time asleep included, on a clock that nobody can set.
    fn boot_ms(&self) -> u64;
    /// Milliseconds since 1970-01-01 UTC on the wall clock, which people can set.
    fn wall_ms(&self) -> i64;
    /// The current instant, for measuring durations.
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// The computer's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn boot_id(&self) -> String {
        clock::boot_id().unwrap_or_else(unknown_boot)
    }

    fn boot_ms(&self) -> u64 {
        u64::try_from(clock::since_boot().as_millis()).unwrap_or(u64::MAX)
    }

    fn wall_ms(&self) -> i64 {
        clock::wall_ms()
    }
}

/// The id of a boot for which the system has none: different for each process, because the computer
/// may have been rebooted between them. Then only the wall clock tells how much time has passed.
fn unknown_boot() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let name = || format!("unknown-{}-{}", clock::wall_ms(), std::process::id());
    NAME.get_or_init(name).clone()
}
