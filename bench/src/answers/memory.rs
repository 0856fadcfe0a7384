//! The most memory that this process had resident at once, as the kernel counts it.

use std::fs;

/// Begins to count again, from what is resident now. If the kernel does not allow that, the count goes
/// on from the process's start, and the figure can only be too high.
pub(super) fn count_again() {
    // "5" resets the peak: proc_pid_clear_refs(5).
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most since the process started or counted again, in bytes.
pub(super) fn most_bytes() -> Result<u64, String> {
    let status = fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("cannot read /proc/self/status: {error}"))?;
    most_of(&status)
        .ok_or_else(|| "the system does not say how much memory this process had".to_owned())
}

fn most_of(status: &str) -> Option<u64> {
    status.lines().find_map(|line| {
        let kib = line.strip_prefix("VmHWM:")?.strip_suffix(" kB")?;
        kib.trim().parse::<u64>().ok()?.checked_mul(1024)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_read_off_the_status() {
        let status = "VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 7 kB\n";
        assert_eq!(most_of(status), Some(2 << 20));
        assert_eq!(most_of("VmRSS:\t 7 kB\n"), None);
        assert!(most_bytes().is_ok_and(|bytes| bytes > 100_000));
    }
}
