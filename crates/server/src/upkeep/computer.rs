//! Facts of this computer about the server: its memory, its disk.

use std::path::Path;
use std::time::UNIX_EPOCH;

pub(crate) use usher_platform::process::resident_bytes;

/// Free and all bytes of the disk that a directory is on, for an unprivileged process.
pub(crate) fn disk(data: &Path) -> Option<(u64, u64)> {
    let room = usher_platform::files::room(data).ok()?;
    Some((room.free, room.total))
}

/// Since when there are data; Unix milliseconds, wall clock.
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
