//! The two clocks: one that counts from boot, time asleep included, which nobody can set; and the
//! wall clock, for people.

use jiff::Timestamp;
use usher_core::sessions::Stamp;
use usher_platform::clock;

pub(crate) use usher_platform::clock::wall_ms;

/// Kernel ticks a second in `/proc/PID/stat`: fixed for user space on every Linux that runs today.
const TICKS_PER_SECOND: u64 = 100;

/// Milliseconds since boot, time asleep included.
pub(crate) fn boot_ms() -> u64 {
    milliseconds(clock::since_boot())
}

/// Milliseconds since boot, without time asleep.
pub(crate) fn awake_ms() -> u64 {
    milliseconds(clock::awake())
}

/// Converts a recent instant, in milliseconds since boot, to milliseconds without time asleep.
pub(crate) fn awake_at(at_boot_ms: u64) -> u64 {
    awake_ms().saturating_sub(boot_ms().saturating_sub(at_boot_ms))
}

fn milliseconds(since: std::time::Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An instant of the wall clock; the epoch if the clock says nonsense.
pub(crate) fn timestamp(wall_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The current instant, on both clocks.
pub(crate) fn now() -> Stamp {
    Stamp {
        boot_ms: boot_ms(),
        wall_ms: wall_ms(),
    }
}

/// The instant at which a process was made, from its start time in kernel ticks since boot.
pub(crate) fn at_ticks(ticks: u64, now: Stamp) -> Stamp {
    at_ns(ticks.saturating_mul(1_000_000_000 / TICKS_PER_SECOND), now)
}

/// An instant in nanoseconds since boot, in the ticks of `/proc/PID/stat`.
pub(crate) fn ticks(boot_ns: u64) -> u64 {
    boot_ns / (1_000_000_000 / TICKS_PER_SECOND)
}

/// An instant in nanoseconds since boot.
pub(crate) fn at_ns(boot_ns: u64, now: Stamp) -> Stamp {
    let boot_ms = (boot_ns / 1_000_000).min(now.boot_ms);
    let ago = i64::try_from(now.boot_ms - boot_ms).unwrap_or(0);
    Stamp {
        boot_ms,
        wall_ms: now.wall_ms - ago,
    }
}

/// The id of the current boot; empty if the kernel does not say.
pub(crate) fn boot_id() -> String {
    clock::boot_id().unwrap_or_default()
}
