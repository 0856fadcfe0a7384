//! What this computer tells of the server: its memory, its disk.

use std::path::Path;
use std::time::UNIX_EPOCH;

/// Memory of this process that lies in RAM, in bytes.
pub(crate) fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Free and all bytes of the disk that a directory is on, for an unprivileged process.
pub(crate) fn disk(data: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::statvfs(data).ok()?;
    let block = stat.f_frsize;
    Some((
        stat.f_bavail.saturating_mul(block),
        stat.f_blocks.saturating_mul(block),
    ))
}

/// Since when there is data, in Unix milliseconds.
pub(crate) fn data_since_ms(data: &Path) -> i64 {
    let made = std::fs::metadata(data.join("cache.db")).and_then(|it| it.created());
    let since = made.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    // A file system that keeps no such time makes a young one of it: nothing is told too soon.
    since.map_or_else(crate::base::clock::wall_ms, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_and_memory_are_told() {
        let data = tempfile::tempdir().unwrap();
        let (free, total) = disk(data.path()).unwrap();
        assert!(free <= total && total > 0);
        assert!(resident_bytes().unwrap() > 1 << 20);
    }
}
