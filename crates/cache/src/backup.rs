//! Snapshots of a data file, and coming back from one.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use usher_core::ledger::{Command, Incarnation, Now, Steady, Wall};

use crate::clock::{Clock, SystemClock};
use crate::error::CacheError;
use crate::load::load;
use crate::schema::{self, Saved};
use crate::{foreign_log, journal, open};

/// How a restore is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    /// Grant at once. Without it nothing is granted for one maximum ttl: leases that were granted
    /// after the snapshot may still be in use.
    pub accept_risk: bool,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Where the data file of before was put, if there was one.
    pub kept: Option<PathBuf>,
    /// Nothing is granted for so many seconds.
    pub hold_seconds: u64,
    /// Leases that the snapshot holds.
    pub leases: u64,
}

/// Copies a data file, as it is at one instant, to `to`, which must not exist. It may be written to
/// meanwhile, by this process or another, or lie at rest. What is there when this returns is whole
/// and on disk, for its owner alone; where it fails, what it has begun is gone.
///
/// # Errors
/// The data file cannot be read, or the copy not be written or checked.
pub fn copy(path: &Path, to: &Path) -> Result<(), CacheError> {
    foreign_log::refuse(path)?;
    make_empty(to)?;
    write_copy(path, to).inspect_err(|_| {
        // What went wrong is what is told.
        let _ = remove(to);
    })
}

/// Writes what `connection` has open to the file `to`, in the place of what may be there: whole and
/// on disk under that name, or not at all. What a killed one left is removed.
pub(crate) fn copy_whole(
    connection: &Connection,
    path: &Path,
    to: &Path,
) -> Result<(), CacheError> {
    let partial = beside(to, ".partial");
    for suffix in SUFFIXES {
        remove(&beside(&partial, suffix))?;
    }
    make_empty(&partial)?;
    vacuum_into(connection, path, &partial)?;
    std::fs::rename(&partial, to).map_err(system("name the saved file", to))?;
    let folder = to.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(system("write", folder))
}

/// SQLite takes an empty file for none, and would make one that others may read.
fn make_empty(to: &Path) -> Result<(), CacheError> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map(drop)
        .map_err(system("write the snapshot", to))
}

/// A path as SQLite takes one, byte for byte: a folder's name need not be UTF-8.
struct FileName<'a>(&'a Path);

impl ToSql for FileName<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = self.0.as_os_str().as_bytes();
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
    }
}

fn vacuum_into(connection: &Connection, path: &Path, to: &Path) -> Result<(), CacheError> {
    connection
        .execute("VACUUM INTO ?1", [FileName(to)])
        .map_err(|source| CacheError::Database {
            doing: "take a snapshot of",
            path: path.into(),
            source,
        })?;
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(system("write the snapshot", to))
}

fn write_copy(path: &Path, to: &Path) -> Result<(), CacheError> {
    let database = |source| CacheError::Database {
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
pub fn restore(data: &Path, file: &Path, options: RestoreOptions) -> Result<Restored, CacheError> {
    // Whose directory it is in decides before what is to be read.
    drop(own(data)?);
    let snapshot = std::fs::File::open(file).map_err(system("read the snapshot", file))?;
    restore_open(data, snapshot, file, options)
}

/// Puts a snapshot, called `file`, in the place of the data file of a stopped server, as a new
/// incarnation: ids that were made after the snapshot are never made again. The data file of before
/// is kept.
///
/// # Errors
/// The directory is in use or cannot be written, or the snapshot is not whole.
pub fn restore_open(
    data: &Path,
    snapshot: std::fs::File,
    file: &Path,
    options: RestoreOptions,
) -> Result<Restored, CacheError> {
    let _owned = own(data)?;
    let path = data.join("cache.db");
    let incoming = data.join("cache.db.incoming");
    for suffix in SUFFIXES {
        remove(&beside(&incoming, suffix))?;
    }
    let prepared =
        take_copy(snapshot, file, &incoming).and_then(|()| prepare(&incoming, file, options));
    let (hold_seconds, leases) = prepared.inspect_err(|_| {
        // What went wrong is what is told; a copy that stays is replaced the next time.
        for suffix in SUFFIXES {
            let _ = remove(&beside(&incoming, suffix));
        }
    })?;
    let kept = if path.exists() {
        Some(put_aside(data, &path)?)
    } else {
        None
    };
    std::fs::rename(&incoming, &path).map_err(system("put the snapshot in place of", &path))?;
    std::fs::File::open(data)
        .and_then(|directory| directory.sync_all())
        .map_err(system("write", data))?;
    Ok(Restored {
        kept,
        hold_seconds,
        leases,
    })
}

/// Holds a data directory, and the data file in it where there is one, against every server.
fn own(data: &Path) -> Result<(std::fs::File, Option<std::fs::File>), CacheError> {
    let lock = open::lock(data)?;
    let path = data.join("cache.db");
    let file = path.exists().then(|| open::hold(&path)).transpose()?;
    Ok((lock, file))
}

/// A data file and what SQLite keeps beside it.
pub(crate) const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];
/// How long a lock of SQLite's is waited for.
const BUSY: Duration = Duration::from_secs(5);

pub(crate) fn system(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> CacheError {
    let path = path.to_path_buf();
    move |error| CacheError::System {
        doing,
        path,
        why: error.to_string(),
    }
}

/// Copies a snapshot to where only the owner can read it.
fn take_copy(mut snapshot: std::fs::File, file: &Path, incoming: &Path) -> Result<(), CacheError> {
    let copied = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(incoming)
        .and_then(|mut to| std::io::copy(&mut snapshot, &mut to));
    copied.map(drop).map_err(system("read the snapshot", file))
}

/// Checks the copy of a snapshot and begins its new life: a new incarnation, and a hold. What is
/// wrong with it is told of the `file` that was given.
fn prepare(path: &Path, file: &Path, options: RestoreOptions) -> Result<(u64, u64), CacheError> {
    let database = |source| CacheError::Database {
        doing: "restore",
        path: path.into(),
        source,
    };
    check(&Connection::open(path).map_err(database)?, file)?;
    let connection = open::connection(path, Saved::Elsewhere)?;
    let loaded = load(&connection, path, &|_| {})?;
    open::is_sound(&connection, path)?;
    let mut ledger = loaded.ledger;
    let leases = ledger.leases().count() as u64;
    let hold_seconds = match options.accept_risk {
        true => 0,
        false => u64::from(ledger.longest_ttl_seconds()),
    };
    let clock = SystemClock;
    let (offset_ms, rebooted) = open::clock_offset(&connection, path, loaded.last, &clock)?;
    let steady = clock.boot_ms().cast_signed().saturating_add(offset_ms);
    let now = Now {
        steady: Steady(u64::try_from(steady).unwrap_or(0)).max(loaded.last.steady),
        wall: Wall(clock.wall_ms()),
    };
    let incarnation = Incarnation(open::new_incarnation(path)?);
    let hold_until = (hold_seconds > 0).then(|| now.steady.plus_seconds(hold_seconds));
    ledger.apply(
        now,
        Command::Reincarnate {
            incarnation,
            hold_until,
        },
    );
    // After that: what comes free because of it waits for the end of the hold as well.
    if rebooted {
        ledger.apply(now, Command::Rebooted);
    }
    journal::commit(
        &connection,
        ledger.pending_first(),
        now,
        ledger.pending(),
        &mut Vec::new(),
    )
    .map_err(|error| CacheError::Damaged {
        path: path.into(),
        why: format!("{error:?}"),
    })?;
    open::keep_clock(&connection, path, offset_ms, &clock)?;
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(database)?;
    Ok((hold_seconds, leases))
}

/// Whether a file is a whole data file of usher.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    let damaged = |why: String| CacheError::Damaged {
        path: path.into(),
        why,
    };
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if verdict != "ok" {
        return Err(damaged(format!("the integrity check says: {verdict}")));
    }
    match schema::version(connection) {
        Ok(0) => Err(damaged("it is no data file of usher".to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(damaged(error.to_string())),
    }
}

/// Renames the data file of before, with what SQLite keeps beside it.
fn put_aside(data: &Path, path: &Path) -> Result<PathBuf, CacheError> {
    let mut number = 1_u32;
    let aside = loop {
        let name = data.join(format!("cache.db.before-restore-{number}"));
        if !name.exists() {
            break name;
        }
        number += 1;
    };
    for suffix in SUFFIXES {
        let from = beside(path, suffix);
        if from.exists() {
            std::fs::rename(&from, beside(&aside, suffix)).map_err(system("put aside", &from))?;
        }
    }
    Ok(aside)
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn remove(path: &Path) -> Result<(), CacheError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(system("remove", path)(error))
        }
        _ => Ok(()),
    }
}
