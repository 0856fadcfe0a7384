//! Snapshots of a data file, and coming back from one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use usher_platform::files::{self, Readers};

use crate::base::clock::SystemClock;
use crate::base::error::StoreError;
use crate::base::schema::Saved;
use crate::base::whole::{SUFFIXES, beside, check, make_empty, remove, system, vacuum_into};
use crate::copies::aside;
use crate::copies::life::NewLife;
use crate::copies::unknown::{Known, Unknown, WaitsFor};
use crate::file::closed;
use crate::file::foreign_log;
use crate::file::open;
use crate::tables::load::load;

/// The options of a restore.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    /// Grant at once. If false, nothing is granted as long as leases that were granted after the
    /// snapshot may still be in use: see [`WaitsFor`].
    pub accept_risk: bool,
}

/// What a restore will do, known before it changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// For how many seconds nothing will be granted.
    pub hold_seconds: u64,
    /// What that follows from.
    pub waits_for: WaitsFor,
    /// How many leases the snapshot holds.
    pub leases: u64,
}

/// The result of a restore.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Where the former data file was put; none: there was none.
    pub kept: Option<PathBuf>,
    /// Where its write-ahead log was put, if that is not empty: the two belong together.
    pub kept_log: Option<PathBuf>,
    /// How many such files there are now, those of earlier restores included, and their size in
    /// bytes.
    pub kept_in_all: (usize, u64),
    /// What was known before.
    pub outlook: Outlook,
}

/// Copies a data file, as it is at one instant, to `to`, which must not exist. It may be written to
/// meanwhile, by this process or another, or lie at rest. What is there when this returns is whole
/// and on disk, for its owner alone; if it fails, what it has begun is gone.
///
/// # Errors
/// The data file cannot be read, or the copy not be written or checked.
pub fn copy(path: &Path, to: &Path) -> Result<(), StoreError> {
    foreign_log::refuse(path)?;
    make_empty(to)?;
    write_copy(path, to).inspect_err(|_| {
        // What went wrong is what is told.
        let _ = remove(to);
    })
}

fn write_copy(path: &Path, to: &Path) -> Result<(), StoreError> {
    let database = |source| StoreError::Database {
        doing: "take a snapshot of",
        path: path.into(),
        source,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(database)?;
    connection.busy_timeout(BUSY).map_err(database)?;
    vacuum_into(&connection, path, to)?;
    check(&Connection::open(to).map_err(database)?, to)
}

/// Puts the snapshot at `file` in the place of the data file of a stopped server, as
/// [`restore_open`] does.
///
/// # Errors
/// As of [`restore_open`].
pub fn restore(data: &Path, file: &Path, options: RestoreOptions) -> Result<Restored, StoreError> {
    // Whose directory it is in decides before what is to be read.
    drop(own(data)?);
    let snapshot = std::fs::File::open(file).map_err(system("read the snapshot", file))?;
    restore_open(data, snapshot, file, options, |_| Ok(()))
}

/// Puts a snapshot, called `file`, in the place of the data file of a stopped server, as a new
/// incarnation: ids that were made after the snapshot are never made again. The former data file is
/// kept. `agree` is called first, with what this will do; if it returns an error, nothing is
/// changed.
///
/// # Errors
/// The directory is in use or cannot be written, the snapshot is damaged, or the error of `agree`.
pub fn restore_open(
    data: &Path,
    snapshot: std::fs::File,
    file: &Path,
    options: RestoreOptions,
    agree: impl FnOnce(&Outlook) -> Result<(), StoreError>,
) -> Result<Restored, StoreError> {
    let _owned = own(data)?;
    put(
        data,
        |incoming| {
            take_copy(snapshot, file, incoming)?;
            prepare(incoming, file, options, &data.join(DATA_FILE))
        },
        agree,
    )
}

/// Ends the hold in the data of a stopped server that was restored: the data begin another life,
/// which grants at once. Nothing else in them changes, and the former data file is kept.
///
/// # Errors
/// The directory is in use or cannot be written, has no undamaged data file, or there is no hold.
pub fn end_hold(data: &Path) -> Result<Restored, StoreError> {
    let path = data.join(DATA_FILE);
    // A data file is never made here.
    std::fs::metadata(&path).map_err(system("read", &path))?;
    let _owned = own(data)?;
    put(
        data,
        |incoming| {
            copy(&path, incoming)?;
            prepare_to_grant(incoming, &path)
        },
        |_| Ok(()),
    )
}

/// The name of the data file in a data directory.
const DATA_FILE: &str = "cache.db";

/// Replaces the data file by the one that `bring` makes, if the user agrees.
fn put(
    data: &Path,
    bring: impl FnOnce(&Path) -> Result<Outlook, StoreError>,
    agree: impl FnOnce(&Outlook) -> Result<(), StoreError>,
) -> Result<Restored, StoreError> {
    let path = data.join(DATA_FILE);
    let incoming = data.join("cache.db.incoming");
    for suffix in SUFFIXES {
        remove(&beside(&incoming, suffix))?;
    }
    let agreed = |outlook: Outlook| agree(&outlook).map(|()| outlook);
    let outlook = bring(&incoming).and_then(agreed).inspect_err(|_| {
        // What went wrong is what is told; a copy that stays is replaced the next time.
        for suffix in SUFFIXES {
            let _ = remove(&beside(&incoming, suffix));
        }
    })?;
    closed::forget_beside(&path)?;
    let kept = match path.exists() {
        true => Some(aside::put(&path)?),
        false => None,
    };
    std::fs::rename(&incoming, &path).map_err(system("put the snapshot in place of", &path))?;
    files::sync_folder(data).map_err(system("write", data))?;
    let (kept, kept_log) = kept.map_or((None, None), |kept| (Some(kept.path), kept.log));
    Ok(Restored {
        kept_in_all: aside::count(data),
        kept,
        kept_log,
        outlook,
    })
}

/// Holds a data directory, and the data file in it if there is one, against every server.
fn own(data: &Path) -> Result<(std::fs::File, Option<std::fs::File>), StoreError> {
    let lock = open::lock(data)?;
    let path = data.join(DATA_FILE);
    let file = path.exists().then(|| open::hold(&path)).transpose()?;
    Ok((lock, file))
}

/// How long to wait for a lock of SQLite.
const BUSY: Duration = Duration::from_secs(5);

/// Copies a snapshot into a file that only the owner can read.
fn take_copy(mut snapshot: std::fs::File, file: &Path, incoming: &Path) -> Result<(), StoreError> {
    let copied = files::create_new(incoming, Readers::Nobody)
        .and_then(|mut to| std::io::copy(&mut snapshot, &mut to));
    copied.map(drop).map_err(system("read the snapshot", file))
}

/// Checks the copy of a snapshot and begins its new life: a new incarnation, and a hold. Errors
/// name the `file` that was given. `there` is the data file that it replaces.
fn prepare(
    path: &Path,
    file: &Path,
    options: RestoreOptions,
    there: &Path,
) -> Result<Outlook, StoreError> {
    let (connection, known) = checked(path, file)?;
    let unknown = Unknown::of(&known, there);
    let outlook = Outlook {
        hold_seconds: match options.accept_risk {
            true => 0,
            false => unknown.seconds,
        },
        waits_for: unknown.waits_for,
        leases: known.loaded.ledger.lease_count() as u64,
    };
    let life = NewLife::of(&connection, path, known, &SystemClock)?;
    life.begin(outlook.hold_seconds, &unknown)?;
    checkpoint(&connection, path)?;
    Ok(outlook)
}

/// Checks the copy of the data `file` and begins its new life, which grants at once. In the data a
/// restore's wait has not ended.
fn prepare_to_grant(path: &Path, file: &Path) -> Result<Outlook, StoreError> {
    let (connection, known) = checked(path, file)?;
    let unknown = Unknown::of_the_same(&known, file);
    let outlook = Outlook {
        hold_seconds: 0,
        waits_for: unknown.waits_for,
        leases: known.loaded.ledger.lease_count() as u64,
    };
    let life = NewLife::of(&connection, path, known, &SystemClock)?;
    if !life.waits() {
        return Err(StoreError::System {
            doing: "end the wait after a restore in",
            path: file.into(),
            why: "there is no such wait; to restore a copy, name its FILE".to_owned(),
        });
    }
    life.begin(0, &unknown)?;
    checkpoint(&connection, path)?;
    Ok(outlook)
}

/// Opens the copy of `file`, migrates it to this version's schema and reads it.
fn checked(path: &Path, file: &Path) -> Result<(Connection, Known), StoreError> {
    check(&Connection::open(path).map_err(restoring(path))?, file)?;
    let told = |error: StoreError| error.of_file(file);
    let connection = open::connection(path, Saved::Elsewhere).map_err(told)?;
    let loaded = load(&connection, path, &|_| {}).map_err(told)?;
    open::is_sound(&connection, path)?;
    let known = Known::of(&connection, loaded).map_err(restoring(path))?;
    Ok((connection, known))
}

/// Checkpoints the write-ahead log completely: the file is moved without it.
fn checkpoint(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(restoring(path))
}

fn restoring(path: &Path) -> impl FnOnce(rusqlite::Error) -> StoreError {
    let path = path.to_path_buf();
    move |source| StoreError::Database {
        doing: "restore",
        path,
        source,
    }
}
