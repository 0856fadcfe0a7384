//! Who reads a data file without an end, so that its write-ahead log cannot be taken in.
//!
//! A reader holds one of SQLite's five read locks: a lock on a byte of the file `-shm`
//! (`WAL_READ_LOCK` in SQLite's wal.c). The kernel lists locks with their processes.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The bytes of the read locks.
const READ_LOCKS: std::ops::RangeInclusive<u64> = 123..=127;
/// Processes that are named at the most.
const NAMED: usize = 5;

/// The processes that read the file at `path` now, by name and number; empty where the system does
/// not tell. Waits for the disk.
pub(crate) fn of(path: &Path) -> Vec<String> {
    let mut shared = OsString::from(path);
    shared.push("-shm");
    let Ok(facts) = std::fs::metadata(&shared) else {
        return Vec::new();
    };
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut pids = pids_in(&locks, facts.ino());
    pids.truncate(NAMED);
    pids.into_iter().map(name).collect()
}

/// The processes with a read lock on the file of that number.
fn pids_in(locks: &str, inode: u64) -> Vec<u32> {
    let mut pids: Vec<u32> = locks
        .lines()
        .filter_map(|line| reader(line, inode))
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// `1: POSIX  ADVISORY  READ 4242 fd:01:1234 123 123`.
fn reader(line: &str, inode: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "POSIX", _, "READ", pid, file, start, end] = words[..] else {
        return None;
    };
    let is_file = file.rsplit(':').next()?.parse() == Ok(inode);
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let is_read_lock = READ_LOCKS.contains(&start) && READ_LOCKS.contains(&end);
    // One of another namespace of processes has no number here.
    let pid: i64 = pid.parse().ok()?;
    (is_file && is_read_lock).then(|| u32::try_from(pid).unwrap_or(0))
}

fn name(pid: u32) -> String {
    if pid == 0 {
        return "a process of another container".to_owned();
    }
    if pid == std::process::id() {
        return "this server itself, for a request".to_owned();
    }
    match std::fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(comm) => format!("{} (process {pid})", comm.trim_end()),
        Err(_) => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "\
1: POSIX  ADVISORY  READ 4242 fd:01:1234 124 124
2: POSIX  ADVISORY  READ 4242 fd:01:1234 128 128
2: -> POSIX  ADVISORY  READ 7 fd:01:1234 124 124
3: POSIX  ADVISORY  WRITE 51 fd:01:1234 123 123
4: FLOCK  ADVISORY  READ 52 fd:01:1234 123 123
5: POSIX  ADVISORY  READ 53 fd:01:99 123 123
6: POSIX  ADVISORY  READ -1 fd:01:1234 125 125
";

    #[test]
    fn those_with_a_read_lock_on_that_file_are_found_and_nobody_else() {
        assert_eq!(pids_in(LOCKS, 1234), [0, 4242]);
        assert_eq!(pids_in("nonsense\n", 1234), [0_u32; 0]);
        assert_eq!(name(0), "a process of another container");
    }
}
