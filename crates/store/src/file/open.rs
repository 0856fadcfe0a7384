//! Takes possession of a data directory: its lock, its file, its identity, its clock.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use usher_core::ledger::Now;
use usher_platform::files::{self, Readers};
use usher_platform::lock as locks;

use crate::base::clock::Clock;
use crate::base::error::StoreError;
use crate::base::meta;
use crate::base::place::Place;
use crate::base::schema::{self, Saved};
use crate::file::foreign_log;
use crate::tables::people_and_names;

/// Makes the directory if there is none, and locks it for this process.
pub(crate) fn lock(data: &Path) -> Result<File, StoreError> {
    let system = |doing, path: &Path, error: std::io::Error| StoreError::System {
        doing,
        path: path.into(),
        why: error.to_string(),
    };
    files::make_folders(data, Readers::Nobody)
        .map_err(|error| system("make the data directory", data, error))?;
    let path = data.join("lock");
    let file = files::open_private(&path).map_err(|error| system("write", &path, error))?;
    match locks::take(&file) {
        Ok(true) => Ok(file),
        Ok(false) => Err(StoreError::InUse(data.into())),
        Err(error) => Err(system("lock", &path, error)),
    }
}

/// Holds the data file itself, making it if there is none: the file `lock` may be removed while
/// a server runs, and a second one must not write to the same data all the same. The lock is of
/// another kind than SQLite's own, so the two do not meet.
pub(crate) fn hold(path: &Path) -> Result<File, StoreError> {
    let system = |doing, error: std::io::Error| StoreError::System {
        doing,
        path: path.into(),
        why: error.to_string(),
    };
    // SQLite gives the files beside it the same mode.
    let file = files::open_private(path).map_err(|error| system("write", error))?;
    match locks::take(&file) {
        Ok(true) => Ok(file),
        Ok(false) => Err(StoreError::InUse(path.parent().unwrap_or(path).into())),
        Err(error) => Err(system("lock", error)),
    }
}

/// Opens the file and brings it to this version's schema. Until [`is_sound`], closing it leaves its
/// log as it is: a log that is another file's would spoil this one.
pub(crate) fn connection(path: &Path, saved: Saved) -> Result<Connection, StoreError> {
    foreign_log::refuse(path)?;
    let opened = connected(path, Place::Directory, saved);
    opened.map_err(|error| foreign_log::explain(path, error))
}

/// As [`connection`], of a file that lies there.
pub(crate) fn connection_at(path: &Path, place: Place) -> Result<Connection, StoreError> {
    match place {
        Place::Directory => connection(path, Saved::Beside),
        // Nobody copies files there by hand, and none is of an earlier version.
        Place::Vfs(_) => connected(path, place, Saved::Elsewhere),
    }
}

fn connected(path: &Path, place: Place, saved: Saved) -> Result<Connection, StoreError> {
    let mut connection = schema::connect(path, place)?;
    schema::migrate(&mut connection, path, saved, people_and_names::change)?;
    Ok(connection)
}

/// Marks that the content of the file was read and is consistent: the last one to close it
/// checkpoints its log.
pub(crate) fn is_sound(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
        .map_err(|source| StoreError::Database {
            doing: "open",
            path: path.into(),
            source,
        })
}

/// The server's id and its first incarnation: made once for a data file, from random numbers.
pub(crate) fn server_id(
    connection: &Connection,
    path: &Path,
    drawn: impl FnOnce(&Path) -> Result<[u64; 2], StoreError>,
) -> Result<String, StoreError> {
    let database = |source| StoreError::Database {
        doing: "read the identity of",
        path: path.into(),
        source,
    };
    if let Some(id) = meta::text(connection, "server_id").map_err(database)? {
        return Ok(id);
    }
    let [id, incarnation] = drawn(path)?;
    let (id, incarnation) = (format!("{id:016x}"), incarnation_of(incarnation));
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(database)?;
    meta::put_text(connection, "server_id", &id).map_err(database)?;
    meta::put(connection, "incarnation", u64::from(incarnation)).map_err(database)?;
    meta::put(connection, "filled_to", 1).map_err(database)?;
    connection.execute_batch("COMMIT").map_err(database)?;
    Ok(id)
}

/// A random incarnation, never 0.
pub(crate) fn new_incarnation(path: &Path) -> Result<u32, StoreError> {
    Ok(incarnation_of(random(path)?))
}

fn incarnation_of(drawn: u64) -> u32 {
    u32::try_from(drawn >> 33).unwrap_or(0) + 1
}

/// Random numbers from the system, from which the identity of a file is made.
pub(crate) fn draw(path: &Path) -> Result<[u64; 2], StoreError> {
    Ok([random(path)?, random(path)?])
}

fn random(path: &Path) -> Result<u64, StoreError> {
    getrandom::u64().map_err(|error| StoreError::System {
        doing: "get a random number for",
        path: path.into(),
        why: error.to_string(),
    })
}

/// What is added to the boot clock to give the ledger's clock, and whether the computer was booted
/// since the last instant that the file knows. Within a boot the clock only goes on; across one,
/// as much time has passed as the wall clock says, and none if it went back.
pub(crate) fn clock_offset(
    connection: &Connection,
    path: &Path,
    last: Now,
    clock: &dyn Clock,
) -> Result<(i64, bool), StoreError> {
    let database = |source| StoreError::Database {
        doing: "read the clock of",
        path: path.into(),
        source,
    };
    let boot_id = clock.boot_id();
    let known = meta::text(connection, "boot_id").map_err(database)?;
    if known.as_deref() == Some(boot_id.as_str())
        && let Some(offset) = meta::number(connection, "boot_offset_ms").map_err(database)?
    {
        return Ok((offset.cast_signed(), false));
    }
    let passed = clock.wall_ms().saturating_sub(last.wall.0).max(0);
    // A file that has never held an event has no last instant: its clock begins now.
    let passed = if last == Now::default() { 0 } else { passed };
    let steady = last.steady.0.cast_signed().saturating_add(passed);
    let offset = steady.saturating_sub(clock.boot_ms().cast_signed());
    Ok((offset, known.is_some()))
}

/// Stores the boot id and its offset: restarts within this boot then continue the same clock.
pub(crate) fn keep_clock(
    connection: &Connection,
    path: &Path,
    offset_ms: i64,
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let keep = || {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        meta::put_text(connection, "boot_id", &clock.boot_id())?;
        meta::put(connection, "boot_offset_ms", offset_ms.cast_unsigned())?;
        connection.execute_batch("COMMIT")
    };
    keep().map_err(|source| StoreError::Database {
        doing: "keep the clock of",
        path: path.into(),
        source,
    })
}
