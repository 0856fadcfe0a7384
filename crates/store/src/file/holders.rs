//! Which processes read a data file without end and so prevent the checkpoint of its write-ahead
//! log.
//!
//! A reader holds one of SQLite's five read locks: a lock on a byte of the file `-shm`
//! (`WAL_READ_LOCK` in SQLite's wal.c).

use std::ops::RangeInclusive;
use std::path::Path;

use usher_platform::lock::{self, Holder};

use crate::base::whole::beside;

/// The bytes of the read locks.
const READ_LOCKS: RangeInclusive<u64> = 123..=127;
/// The largest number of processes that are named.
const NAMED: usize = 5;

/// The processes that read the file at `path` now, by name and number; empty if the system does
/// not tell. Waits for the disk.
pub(crate) fn of(path: &Path) -> Vec<String> {
    let mut readers = lock::readers(&beside(path, "-shm"), READ_LOCKS);
    readers.truncate(NAMED);
    readers.into_iter().map(name).collect()
}

fn name(reader: Holder) -> String {
    match reader {
        Holder::Hidden => "a process of another container".to_owned(),
        Holder::Process(pid) if pid == std::process::id() => {
            "this server itself, for a request".to_owned()
        }
        Holder::Process(pid) => match lock::process_name(pid) {
            Some(name) => format!("{name} (process {pid})"),
            None => format!("process {pid}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_named_by_what_is_known_of_it() {
        assert_eq!(name(Holder::Hidden), "a process of another container");
        let own = Holder::Process(std::process::id());
        assert_eq!(name(own), "this server itself, for a request");
        assert_eq!(name(Holder::Process(u32::MAX)), "process 4294967295");
    }
}
