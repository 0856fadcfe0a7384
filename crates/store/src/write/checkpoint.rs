//! Checkpoints: copy the write-ahead log into the data file.
//!
//! It is done in small shares, on a thread and a connection beside the writer's: what waits for the
//! disk behind a share waits for that share alone, commits among them. Only starting the log
//! again needs the writer, which then has little left to take in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::base::error::StoreError;
use crate::base::place::Place;
use crate::queue::shared::Shared;

/// How long to wait for a lock of SQLite.
const BUSY: Duration = Duration::from_secs(5);
/// The pause between two looks whether another checkpoint is over.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
/// The least number of log pages that one share copies into the file: half a MiB.
const SHARE_PAGES: i64 = 128;
/// The log is reset when it has so many pages (64 MiB) and at most [`LEFT_PAGES`] of them are not
/// in the file yet.
const LIMIT_PAGES: i64 = 16_384;
/// How many pages may be left for the writer to copy.
const LEFT_PAGES: i64 = 2 * SHARE_PAGES;
/// When the log has so many pages, it is reset however many are left to copy.
const HARD_LIMIT_PAGES: i64 = 4 * LIMIT_PAGES;

/// Checkpoints the log of one file while its writer writes.
pub(crate) struct Beside {
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
}

/// The state of the log, shared by the writer and the thread beside it.
#[derive(Default)]
struct Log {
    /// How many pages it had after the writer's last commit.
    pages: AtomicI64,
    /// How many of them the last checkpoint found in the file.
    taken: AtomicI64,
    /// How many pages it had when the last share began.
    asked: AtomicI64,
    /// How many pages it had when the writer last tried to reset it.
    tried: AtomicI64,
    is_busy: AtomicBool,
    /// Whether an older reader kept pages in the log at the last checkpoint.
    is_held: AtomicBool,
    /// Whether to try another share, however few pages there are.
    must_look: AtomicBool,
    must_end: AtomicBool,
}

impl Beside {
    /// Follows the commits of `writer`, the connection of the one writer. A file that no other
    /// connection may open has no thread beside: its writer calls [`Beside::take_in_by`].
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn begin(
        writer: &mut Connection,
        place: Place,
        shared: &Arc<Shared>,
    ) -> Result<Beside, StoreError> {
        let (log, path) = (Arc::new(Log::default()), &*shared.path);
        let thread = match place {
            Place::Directory => Some(Beside::spawn(&log, path)?),
            Place::Vfs(_) => None,
        };
        let wake = thread.as_ref().map(|thread| thread.thread().clone());
        let (hooked, told) = (log.clone(), shared.clone());
        writer
            .wal_hook(Some(move |_: &mut _, pages: std::ffi::c_int| {
                told.logged(hooked.committed(i64::from(pages), wake.as_ref()));
                Ok(())
            }))
            .map_err(failed(path))?;
        Ok(Beside { log, thread })
    }

    fn spawn(log: &Arc<Log>, path: &Path) -> Result<JoinHandle<()>, StoreError> {
        let spawned = usher_vital::spawn("usher-log", {
            let (log, path) = (log.clone(), path.to_path_buf());
            move || log.take_in_shares(&path)
        });
        spawned.map_err(|error| StoreError::System {
            doing: "start a thread for the log of",
            path: path.into(),
            why: error.to_string(),
        })
    }

    /// Whether a share is due and there is no thread to copy it.
    pub(crate) fn is_share_of_writer(&self) -> bool {
        self.thread.is_none() && self.log.is_share_due()
    }

    /// Copies a share on the writer's own connection.
    pub(crate) fn take_in_by(&self, writer: &Connection) -> rusqlite::Result<()> {
        self.log.asks();
        self.log.has_taken(passive(writer)?);
        Ok(())
    }

    /// The size of a long log whose checkpoint a reader prevents; none: there is no such reader, or
    /// the log is short.
    pub(crate) fn held_pages(&self) -> Option<i64> {
        let pages = self.log.pages.load(Ordering::Relaxed);
        let is_held = self.log.is_held.load(Ordering::Relaxed);
        (is_held && pages >= LIMIT_PAGES).then_some(pages)
    }

    /// Makes the thread check whether the reader still prevents the checkpoint.
    pub(crate) fn look_again(&self) {
        self.log.must_look.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Whether it is time for the writer to take the rest in, so that the log starts again. If a
    /// reader is in the way, it is said again when another share has come.
    pub(crate) fn is_to_begin_anew(&self) -> bool {
        let log = &*self.log;
        let pages = log.pages.load(Ordering::Relaxed);
        let tried = log.tried.load(Ordering::Relaxed);
        let is_due = log.is_nearly_in(pages) || pages >= HARD_LIMIT_PAGES;
        let is_next = pages < tried || pages - tried >= SHARE_PAGES;
        let is_to = is_due && is_next && !log.is_busy.load(Ordering::Acquire);
        if is_to {
            log.tried.store(pages, Ordering::Relaxed);
        }
        is_to
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.log.must_end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic in it has been printed, and is nobody else's.
            let _ = thread.join();
        }
    }
}

impl Log {
    /// Notes the length of the log after a commit; answers how many pages the commit wrote.
    fn committed(&self, pages: i64, beside: Option<&Thread>) -> u64 {
        let mut before = self.pages.swap(pages, Ordering::Relaxed);
        if pages < before {
            for counted in [&self.taken, &self.asked, &self.tried] {
                counted.store(0, Ordering::Relaxed);
            }
            before = 0;
        }
        if self.is_share_due()
            && let Some(beside) = beside
        {
            beside.unpark();
        }
        (pages - before).unsigned_abs()
    }

    fn is_share_due(&self) -> bool {
        let pages = self.pages.load(Ordering::Relaxed);
        let came = pages - self.asked.load(Ordering::Relaxed);
        // Fewer than were asked for: the log was started again while that was noted.
        !(0..SHARE_PAGES).contains(&came) && !self.is_nearly_in(pages)
    }

    /// Whether the log is so long, and so little of it is left to copy, that the writer resets it.
    fn is_nearly_in(&self, pages: i64) -> bool {
        let left = pages - self.taken.load(Ordering::Relaxed);
        pages >= LIMIT_PAGES && left <= LEFT_PAGES
    }

    /// Waits for shares and copies them until told to end.
    fn take_in_shares(&self, path: &Path) {
        let mut connection = None;
        while !self.must_end.load(Ordering::Acquire) {
            usher_vital::plant::thread();
            if !self.is_share_due() && !self.must_look.swap(false, Ordering::Acquire) {
                std::thread::park();
                continue;
            }
            self.is_busy.store(true, Ordering::Release);
            self.asks();
            connection = self.take_in(path, connection.take());
            self.is_busy.store(false, Ordering::Release);
        }
    }

    /// Notes that a share begins.
    fn asks(&self) {
        self.asked
            .store(self.pages.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Notes the result of a checkpoint; none: another checkpoint was running.
    fn has_taken(&self, taken: Option<Taken>) {
        if let Some(taken) = taken {
            self.taken.store(taken.pages, Ordering::Relaxed);
            self.is_held.store(taken.is_held, Ordering::Relaxed);
        }
    }

    /// Copies one share; returns the connection that can be used for the next.
    fn take_in(&self, path: &Path, connection: Option<Connection>) -> Option<Connection> {
        let connection = connection.map_or_else(|| connect(path), Ok);
        let taken = connection.and_then(|connection| {
            let taken = passive(&connection).map_err(failed(path))?;
            Ok((connection, taken))
        });
        match taken {
            Ok((connection, taken)) => {
                self.has_taken(taken);
                Some(connection)
            }
            // The writer comes to it by itself, and tells then what it is about.
            Err(error) => {
                tracing::debug!(%error, "a checkpoint beside the writer failed");
                None
            }
        }
    }
}

/// The result of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// How many pages of the log are in the file.
    pub(crate) pages: i64,
    /// Whether an older reader keeps further pages in the log.
    pub(crate) is_held: bool,
}

/// Takes in all of the log of the file at `path` that no reader keeps there, while others write;
/// whether a reader keeps some.
///
/// # Errors
/// The disk refused.
pub(crate) fn beside(path: &Path) -> Result<bool, StoreError> {
    let connection = connect(path)?;
    let until = Instant::now() + BUSY;
    loop {
        let taken = passive(&connection).map_err(failed(path))?;
        match taken {
            Some(Taken { is_held: false, .. }) => return Ok(false),
            // Another checkpoint is at it, or a reader that may be about to end.
            _ if Instant::now() < until => std::thread::sleep(BUSY_PAUSE),
            Some(Taken { is_held, .. }) => return Ok(is_held),
            None => return Ok(false),
        }
    }
}

/// Copies what no reader keeps in the log; none: another checkpoint is running.
pub(crate) fn passive(connection: &Connection) -> rusqlite::Result<Option<Taken>> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (is_busy, log, pages): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_held = pages < log;
        Ok((!is_busy).then_some(Taken { pages, is_held }))
    })
}

/// Takes in all of it, and empties the log. False if a reader keeps it.
///
/// # Errors
/// The disk refused.
pub(crate) fn truncate(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let is_busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(failed(path))?;
    Ok(!is_busy)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Never makes a file in the place of one that is gone.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed(path))?;
    connection.busy_timeout(BUSY).map_err(failed(path))?;
    Ok(connection)
}

fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError {
    let path: PathBuf = path.into();
    move |source| StoreError::Database {
        doing: "checkpoint",
        path: path.clone(),
        source,
    }
}
