//! The clocks that a ledger is told.

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Which boot of the computer this is: another text after each boot.
    fn boot_id(&self) -> String;
    /// Milliseconds since that boot, sleep counted, on a clock that nobody sets.
    fn boot_ms(&self) -> u64;
    /// Milliseconds since 1970-01-01 UTC on the clock that people set.
    fn wall_ms(&self) -> i64;
}

/// The computer's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn boot_id(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|id| id.trim().to_owned())
            .unwrap_or_else(|_| "unknown".to_owned())
    }

    fn boot_ms(&self) -> u64 {
        milliseconds(rustix::time::clock_gettime(rustix::time::ClockId::Boottime)).unsigned_abs()
    }

    fn wall_ms(&self) -> i64 {
        milliseconds(rustix::time::clock_gettime(rustix::time::ClockId::Realtime))
    }
}

fn milliseconds(time: rustix::time::Timespec) -> i64 {
    time.tv_sec
        .saturating_mul(1_000)
        .saturating_add(time.tv_nsec / 1_000_000)
}
