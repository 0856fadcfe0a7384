//! Taking the write-ahead log into the file.
//!
//! Nearly all of it is done on a connection beside the writer's, which goes on meanwhile: it copies
//! pages to where they belong, and waits for the disk. The writer has to do the last of it, for only
//! then does SQLite begin the log anew; that takes some ten milliseconds in a large file, so that it
//! is done seldom where requests come: the log may grow for it.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::CacheError;

/// How long a lock of SQLite's is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// What the writer may be left to copy, in pages.
const LEFT_PAGES: i64 = 100;
/// How often it is tried to come so near: what is written meanwhile has to be copied, too.
const ROUNDS: u32 = 4;

/// A checkpoint beside the writer, on a thread of its own.
pub(crate) struct Beside {
    thread: JoinHandle<Option<Taken>>,
}

/// What a checkpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Pages of the log, taken in or not.
    pub(crate) pages: i64,
    /// Those that are not, as a reader needs them there, or because they came too fast.
    pub(crate) left: i64,
}

impl Taken {
    /// Whether little is left.
    pub(crate) fn is_near_the_end(self) -> bool {
        self.left <= 10 * LEFT_PAGES
    }
}

impl Beside {
    /// Begins it; none where there is no thread to be had.
    pub(crate) fn begin(path: &Path) -> Option<Beside> {
        let path = path.to_path_buf();
        let thread = std::thread::Builder::new().name("usher-log".to_owned());
        let thread = thread.spawn(move || {
            let taken = beside(&path);
            // The writer comes to it by itself, and tells then what it is about.
            let told = taken.inspect_err(|error| {
                tracing::debug!(%error, "the log was not taken in beside the writer");
            });
            told.ok()
        });
        Some(Beside {
            thread: thread.ok()?,
        })
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until it is over; what it came to, where that could be told.
    pub(crate) fn wait(self) -> Option<Taken> {
        // A panic in it has been printed, and is nobody else's.
        self.thread.join().ok().flatten()
    }
}

/// Takes in nearly all of the log of the file at `path`, while others write.
///
/// # Errors
/// The disk refused.
pub(crate) fn beside(path: &Path) -> Result<Taken, CacheError> {
    let failed = failed(path);
    // Never makes a file in the place of one that is gone.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(BUSY).map_err(&failed)?;
    let mut taken = passive(&connection).map_err(&failed)?;
    for _ in 1..ROUNDS {
        if taken.left <= LEFT_PAGES {
            break;
        }
        taken = passive(&connection).map_err(&failed)?;
    }
    Ok(taken)
}

/// Takes in what no reader keeps there.
pub(crate) fn passive(connection: &Connection) -> rusqlite::Result<Taken> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (pages, taken): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(Taken {
            pages,
            left: pages.saturating_sub(taken),
        })
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

/// The same where no reader is in the way; waits for none.
///
/// # Errors
/// The disk refused.
pub(crate) fn truncate_at_once(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    connection
        .busy_timeout(Duration::ZERO)
        .map_err(failed(path))?;
    let done = truncate(connection, path);
    connection.busy_timeout(BUSY).map_err(failed(path))?;
    done
}

fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> CacheError {
    let path: PathBuf = path.into();
    move |source| CacheError::Database {
        doing: "checkpoint",
        path: path.clone(),
        source,
    }
}
