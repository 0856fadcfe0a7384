//! How large a server has become: its memory, its files, and the rows of its tables.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::beside::private::Server;

/// Between two looks at what changes all the while.
const LOOK: Duration = Duration::from_millis(100);
/// The longest that the tables may be behind the journal once nothing is asked.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// A server's size after so many requests.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Size {
    pub(super) requests: u64,
    pub(super) resident_bytes: u64,
    pub(super) file_bytes: u64,
    /// The longest write-ahead log since the size before.
    pub(super) log_bytes: u64,
    pub(super) subjects: u64,
    pub(super) computers: u64,
    pub(super) denials: u64,
    pub(super) leases: u64,
    pub(super) answers: u64,
}

/// Waits until the tables hold all that was answered, and looks.
pub(super) fn look(
    server: &Server,
    data: &Path,
    requests: u64,
    log_bytes: u64,
) -> Result<Size, String> {
    settle(data)?;
    let file = data.join("cache.db");
    Ok(Size {
        requests,
        resident_bytes: server.resident_kib()? << 10,
        file_bytes: bytes(&file),
        log_bytes,
        subjects: count(data, "subjects")?,
        computers: count(data, "computers")?,
        denials: count(data, "denials")?,
        leases: count(data, "leases")?,
        answers: count(data, "answers")?,
    })
}

/// Runs `work` and watches the log meanwhile; answers its longest.
pub(super) fn watching_log<T>(data: &Path, work: impl FnOnce() -> T) -> (T, u64) {
    let log = data.join("cache.db-wal");
    let (longest, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let done = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                longest.fetch_max(bytes(&log), Ordering::Relaxed);
                thread::sleep(LOOK);
            }
        });
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        done
    });
    (done, longest.into_inner())
}

fn settle(data: &Path) -> Result<(), String> {
    let deadline = Instant::now() + SETTLED_WITHIN;
    while count(data, "journal")? > 0 {
        if Instant::now() > deadline {
            let seconds = SETTLED_WITHIN.as_secs();
            return Err(format!(
                "the tables are behind the journal {seconds} s after the last request"
            ));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The rows of a table. A connection of its own each time, so that no reader pins the log.
fn count(data: &Path, table: &str) -> Result<u64, String> {
    let failed = |error: rusqlite::Error| format!("cannot count {table}: {error}");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = Connection::open_with_flags(data.join("cache.db"), flags).map_err(failed)?;
    file.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    let sql = format!("SELECT count(*) FROM {table}");
    let count: i64 = file.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
    Ok(count.unsigned_abs())
}

fn bytes(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}
