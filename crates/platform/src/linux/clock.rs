//! `CLOCK_BOOTTIME` counts sleep, `CLOCK_MONOTONIC` does not.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(crate) fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

pub(crate) fn since_boot() -> Duration {
    read(ClockId::Boottime)
}

pub(crate) fn awake() -> Duration {
    read(ClockId::Monotonic)
}

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}
