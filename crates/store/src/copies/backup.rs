//! Snapshots of a data file, and coming back from one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use usher_platform::files::{self, Readers};

use crate::base::clock::SystemClock;
use crate::base::error::StoreError;
use crate::base::schema::Saved;
use crate::base::whole::{SUFFIXES, beside, check, make_empty, remove, system, vacuum_into};
use crate::copies::life::NewLife;
use crate::copies::unknown::{self, Known, WaitsFor};
use crate::file::closed;
use crate::file::foreign_log;
use crate::file::open;
use crate::tables::load::load;

/// How a restore is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    /// Grant at once. Without it nothing is granted while leases may still be in use that were
    /// granted after the snapshot: see [`WaitsFor`].
    pub accept_risk: bool,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Where the data file of before was put, if there was one.
    pub kept: Option<PathBuf>,
    /// How many such files lie there by now, of this and of earlier times, and their bytes.
    pub kept_in_all: (usize, u64),
    /// Nothing is granted for so many seconds.
    pub hold_seconds: u64,
    /// By what that is known.
    pub waits_for: WaitsFor,
    /// Leases that the snapshot holds.
    pub leases: u64,
}

/// Copies a data file, as it is at one instant, to `to`, which must not exist. It may be written to
/// meanwhile, by this process or another, or lie at rest. What is there when this returns is whole
/// and on disk, for its owner alone; where it fails, what it has begun is gone.
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
) -> Result<Restored, StoreError> {
    let _owned = own(data)?;
    put(data, file, options, false, |incoming| {
        take_copy(snapshot, file, incoming)
    })
}

/// Ends the time in which a restored server grants nothing, in the data of a stopped server: they
/// begin another life, which grants at once. Nothing else in them changes, and the data file of
/// before is kept.
///
/// # Errors
/// The directory is in use or cannot be written, has no whole data file, or nothing is waited for in
/// it.
pub fn end_hold(data: &Path) -> Result<Restored, StoreError> {
    let path = data.join("cache.db");
    // A data file is never made here.
    std::fs::metadata(&path).map_err(system("read", &path))?;
    let _owned = own(data)?;
    let options = RestoreOptions { accept_risk: true };
    put(data, &path, options, true, |incoming| copy(&path, incoming))
}

/// Puts what `take` brings in the place of the data file; if that is to be data in which the end of a
/// restore's wait is waited for, only then.
fn put(
    data: &Path,
    file: &Path,
    options: RestoreOptions,
    is_to_wait: bool,
    take: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<Restored, StoreError> {
    let path = data.join("cache.db");
    let incoming = data.join("cache.db.incoming");
    for suffix in SUFFIXES {
        remove(&beside(&incoming, suffix))?;
    }
    let prepared = take(&incoming).and_then(|()| {
        let there = (!is_to_wait).then_some(&*path);
        prepare(&incoming, file, options, there)
    });
    let (hold_seconds, waits_for, leases) = prepared.inspect_err(|_| {
        // What went wrong is what is told; a copy that stays is replaced the next time.
        for suffix in SUFFIXES {
            let _ = remove(&beside(&incoming, suffix));
        }
    })?;
    closed::forget_beside(&path)?;
    let kept = if path.exists() {
        Some(put_aside(data, &path)?)
    } else {
        None
    };
    std::fs::rename(&incoming, &path).map_err(system("put the snapshot in place of", &path))?;
    files::sync_folder(data).map_err(system("write", data))?;
    Ok(Restored {
        kept_in_all: kept_in(data),
        kept,
        hold_seconds,
        waits_for,
        leases,
    })
}

/// Holds a data directory, and the data file in it where there is one, against every server.
fn own(data: &Path) -> Result<(std::fs::File, Option<std::fs::File>), StoreError> {
    let lock = open::lock(data)?;
    let path = data.join("cache.db");
    let file = path.exists().then(|| open::hold(&path)).transpose()?;
    Ok((lock, file))
}

/// How long a lock of SQLite's is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// Copies a snapshot to where only the owner can read it.
fn take_copy(mut snapshot: std::fs::File, file: &Path, incoming: &Path) -> Result<(), StoreError> {
    let copied = files::create_new(incoming, Readers::Nobody)
        .and_then(|mut to| std::io::copy(&mut snapshot, &mut to));
    copied.map(drop).map_err(system("read the snapshot", file))
}

/// Checks the copy of a snapshot and begins its new life: a new incarnation, and a hold. What is
/// wrong with it is told of the `file` that was given. `there` is the data file that it takes the
/// place of; none: it is a copy of that, in which the end of a hold is waited for.
fn prepare(
    path: &Path,
    file: &Path,
    options: RestoreOptions,
    there: Option<&Path>,
) -> Result<(u64, WaitsFor, u64), StoreError> {
    let database = |source| StoreError::Database {
        doing: "restore",
        path: path.into(),
        source,
    };
    check(&Connection::open(path).map_err(database)?, file)?;
    let told = |error: StoreError| error.of_file(file);
    let connection = open::connection(path, Saved::Elsewhere).map_err(told)?;
    let loaded = load(&connection, path, &|_| {}).map_err(told)?;
    open::is_sound(&connection, path)?;
    let known = Known::of(&connection, loaded).map_err(database)?;
    let unknown = there.map(|there| unknown::seconds(&known, there));
    let (unknown_seconds, waits_for) = unknown.unwrap_or((0, WaitsFor::LastLease));
    let hold_seconds = match options.accept_risk {
        true => 0,
        false => unknown_seconds,
    };
    let leases = known.loaded.ledger.lease_count() as u64;
    let life = NewLife::of(&connection, path, known, &SystemClock)?;
    if there.is_none() && !life.waits() {
        return Err(StoreError::System {
            doing: "end the waiting after a restore in",
            path: file.into(),
            why: "nothing is waited for there; to restore a copy, name its FILE".to_owned(),
        });
    }
    life.begin(hold_seconds, unknown_seconds)?;
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(database)?;
    Ok((hold_seconds, waits_for, leases))
}

/// What a data file that was put aside is called, before its number.
const ASIDE: &str = "cache.db.before-restore-";

/// Renames the data file of before, with what SQLite keeps beside it. Its number is the highest.
fn put_aside(data: &Path, path: &Path) -> Result<PathBuf, StoreError> {
    let last = put_aside_in(data).map(|(number, _)| number).max();
    let aside = data.join(format!("{ASIDE}{}", last.unwrap_or(0).saturating_add(1)));
    for suffix in SUFFIXES {
        let from = beside(path, suffix);
        if from.exists() {
            std::fs::rename(&from, beside(&aside, suffix)).map_err(system("put aside", &from))?;
        }
    }
    Ok(aside)
}

/// How many data files were put aside, and how large they are.
fn kept_in(data: &Path) -> (usize, u64) {
    put_aside_in(data).fold((0, 0_u64), |(count, bytes), (_, size)| {
        (count + 1, bytes.saturating_add(size))
    })
}

/// The numbers and sizes of the data files that were put aside; none where that cannot be read.
fn put_aside_in(data: &Path) -> impl Iterator<Item = (u32, u64)> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name();
        let number = name.to_str()?.strip_prefix(ASIDE)?.parse().ok()?;
        Some((number, entry.metadata().ok()?.len()))
    })
}
