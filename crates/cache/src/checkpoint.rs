//! Taking the write-ahead log into the file.
//!
//! The writer has to do the last of it: only then does SQLite begin the log anew. Nearly all of it
//! is done on a connection beside the writer's, which goes on meanwhile: it copies pages to where
//! they belong, and waits for the disk, tens of milliseconds in a large file.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::CacheError;

/// What the writer may be left to copy, in pages.
const LEFT_PAGES: i64 = 500;
/// How often it is tried to come so near: what is written meanwhile has to be copied, too.
const ROUNDS: u32 = 4;

/// A checkpoint beside the writer, on a thread of its own.
pub(crate) struct Beside {
    thread: JoinHandle<()>,
}

impl Beside {
    /// Begins it; none where there is no thread to be had.
    pub(crate) fn begin(path: &Path) -> Option<Beside> {
        let path = path.to_path_buf();
        let thread = std::thread::Builder::new().name("usher-log".to_owned());
        let thread = thread.spawn(move || {
            if let Err(error) = beside(&path) {
                // The writer comes to it by itself, and tells then what it is about.
                tracing::debug!(%error, "the log was not taken in beside the writer");
            }
        });
        Some(Beside {
            thread: thread.ok()?,
        })
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until it is over.
    pub(crate) fn wait(self) {
        // A panic in it has been printed, and is nobody else's.
        let _ = self.thread.join();
    }
}

/// Takes in nearly all of the log of the file at `path`, while others write.
///
/// # Errors
/// The disk refused.
pub(crate) fn beside(path: &Path) -> Result<(), CacheError> {
    let failed = failed(path);
    // Never makes a file in the place of one that is gone.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(&failed)?;
    for _ in 0..ROUNDS {
        if passive(&connection).map_err(&failed)? <= LEFT_PAGES {
            break;
        }
    }
    Ok(())
}

/// Takes in what no reader keeps there; the pages that are left.
pub(crate) fn passive(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (log, taken): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(log.saturating_sub(taken))
    })
}

/// Takes in all of it, and empties the log.
///
/// # Errors
/// The disk refused.
pub(crate) fn truncate(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> CacheError {
    let path: PathBuf = path.into();
    move |source| CacheError::Database {
        doing: "checkpoint",
        path: path.clone(),
        source,
    }
}
