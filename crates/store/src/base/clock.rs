//! The clocks that a ledger is told.

use std::sync::OnceLock;
use std::time::Instant;

use usher_platform::clock;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Which boot of the computer this is: another text after each boot.
    fn boot_id(&self) -> String;
    /// Milliseconds since that boot, sleep counted, on a clock that nobody sets.
    fn boot_ms(&self) -> u64;
    /// Milliseconds since 1970-01-01 UTC on the clock that people set.
    fn wall_ms(&self) -> i64;
    /// Now, to count how long something lasts or is to wait.
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

/// What a boot is called that the system has no name for: another for each process, as it may have
/// been another boot. Only the wall clock then tells what has passed between two.
fn unknown_boot() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let name = || format!("unknown-{}-{}", clock::wall_ms(), std::process::id());
    NAME.get_or_init(name).clone()
}
