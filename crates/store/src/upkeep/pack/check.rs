//! Checks the contents of the file, table by table, on a connection of its own.
//!
//! A reader keeps the write-ahead log from being started again, so each table is one read, paced so
//! as to leave the disk and a core to the writer, and given up if the log has grown too long.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Skipped;
use crate::queue::shared::Shared;

/// How many SQLite instructions run between two looks at the clock.
const STEPS: i32 = 2_000;
/// How long the check works before it rests for four times as long.
const WORK: Duration = Duration::from_millis(1);
const REST: Duration = Duration::from_millis(4);
/// How much the write-ahead log may grow while tables are checked, in bytes.
const LOG_LIMIT_BYTES: u64 = 512 * 1024 * 1024;

/// The result of checking one table.
pub(super) enum Verdict {
    Whole,
    Damaged(String),
    Unread(String),
    LeftOut,
    Stopped,
}

impl Verdict {
    /// What to report about the table; none: it is intact.
    pub(super) fn skipped(self, table: &str) -> Option<Skipped> {
        let why = match self {
            Verdict::Whole | Verdict::Stopped => return None,
            Verdict::Damaged(what) => format!("it is damaged ({what}): restore from a backup"),
            Verdict::Unread(why) => format!(
                "it could not be read, so it is not known whether it is damaged ({why}): look at \
                 the disk that the data directory is on, then pack again"
            ),
            Verdict::LeftOut => "so much was written during the check that it would have filled \
                                 the disk: pack again when there is less load"
                .to_owned(),
        };
        let what = format!("check of {table}");
        Some(Skipped { what, why })
    }
}

/// The tables to check.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Opens a connection for checking, which also notices that the pack has to stop.
pub(super) fn connection(shared: &Arc<Shared>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&shared.path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let (shared, log) = (shared.clone(), log_of(&shared.path));
    let limit = log_bytes(&log) + LOG_LIMIT_BYTES;
    let mut since = Instant::now();
    let pace = move || {
        if since.elapsed() < WORK {
            return false;
        }
        let stop = shared.pack.pause(REST);
        since = Instant::now();
        stop || log_bytes(&log) > limit
    };
    connection.progress_handler(STEPS, Some(pace))?;
    Ok(connection)
}

/// Checks one table and its indexes.
pub(super) fn table(connection: &Connection, shared: &Shared, name: &str) -> Verdict {
    let verdict = connection.query_row(&format!("PRAGMA quick_check({name})"), [], |row| {
        row.get::<_, String>(0)
    });
    match verdict {
        Ok(said) if said == "ok" => Verdict::Whole,
        Ok(said) => Verdict::Damaged(said),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            match shared.pack.is_stopped() {
                true => Verdict::Stopped,
                false => Verdict::LeftOut,
            }
        }
        Err(error) => of_error(&error),
    }
}

/// Whether an error means damage, or that the file could not be read.
fn of_error(error: &rusqlite::Error) -> Verdict {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Verdict::Damaged(error.to_string())
        }
        _ => Verdict::Unread(error.to_string()),
    }
}

fn log_of(path: &Path) -> PathBuf {
    usher_platform::files::beside(path, "-wal")
}

fn log_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |log| log.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn a_disk_that_cannot_be_read_is_no_damage() {
        for (code, is_damage) in [
            (ffi::SQLITE_CORRUPT, true),
            (ffi::SQLITE_NOTADB, true),
            (ffi::SQLITE_IOERR_READ, false),
            (ffi::SQLITE_CANTOPEN, false),
            (ffi::SQLITE_BUSY, false),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let verdict = of_error(&error);
            assert_eq!(matches!(verdict, Verdict::Damaged(_)), is_damage, "{code}");
            let told = verdict.skipped("leases").unwrap().why;
            assert_eq!(told.contains("restore from a backup"), is_damage, "{told}");
        }
    }
}
