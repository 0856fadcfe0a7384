//! The file of the embedded engine: its owner's only, one manager's at a time, brought up to date.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use usher_platform::{files, lock as locks};
use usher_tables::{Beyond, differences};

use crate::error::SiteError;
use crate::open;
use crate::schema::STEPS;
use crate::usage;

const FILE: &str = "site.db";
const LOCK: &str = "manager.lock";
/// What the name of the lock of a file elsewhere ends with.
const LOCK_ENDING: &str = "-lock";
/// Statements that stay prepared: those of a batch of history are more than SQLite's wrapper keeps.
const STATEMENTS: usize = 64;
/// How the connection that writes is set up. Its page cache holds the pages that a batch of history
/// changes, 64 MiB (SQLite's own is 2 MiB), and the write-ahead log is copied into the file when it has as
/// much: a page that each batch changes is then copied once.
const WRITES: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384;";

/// Where a site database is, and the lock of the one manager that has it open.
pub(crate) struct Place {
    file: PathBuf,
    lock: PathBuf,
    /// What is in use while the lock is held.
    held: String,
}

impl Place {
    /// `site.db` in a manager's data directory.
    pub(crate) fn in_folder(folder: &Path) -> Place {
        Place {
            file: folder.join(FILE),
            lock: folder.join(LOCK),
            held: folder.display().to_string(),
        }
    }

    /// A file with a name of its own, and a lock beside it.
    pub(crate) fn at(file: &Path) -> Place {
        Place {
            file: file.to_owned(),
            lock: usher_platform::files::beside(file, LOCK_ENDING),
            held: file.display().to_string(),
        }
    }

    /// The same file as a manager may have it open that was told of it otherwise: by its folder, or by its
    /// name. None: no such manager has been there.
    pub(crate) fn told_otherwise(&self) -> Option<Place> {
        let folder = Place::in_folder(files::folder_of(&self.file));
        let all = [folder, Place::at(&self.file)];
        all.into_iter().find(|it| {
            it.file.file_name() == self.file.file_name() && it.lock != self.lock && it.lock.exists()
        })
    }

    /// The file of the database.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// Opens a site database, or makes it; with its lock.
pub(crate) fn open(place: &Place) -> Result<(Connection, File), SiteError> {
    let lock = lock(place)?;
    let path = &place.file;
    let file = path.display().to_string();
    // SQLite would make it readable by others.
    files::open_private(path).map_err(|error| SiteError::failed("make the file", &error))?;
    let mut connection =
        Connection::open(path).map_err(|error| SiteError::failed("open the file", &error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    prepare(&mut connection, &file)?;
    Ok((connection, lock))
}

/// One more connection to the file that [`open`] has opened, which only reads.
pub(crate) fn open_reader(place: &Place) -> Result<Connection, SiteError> {
    let open = || {
        let connection = Connection::open(&place.file)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch("PRAGMA query_only = ON;")?;
        Ok(connection)
    };
    let opened: rusqlite::Result<Connection> = open();
    opened.map_err(|error| SiteError::failed("open the file once more", &error))
}

/// Holds a site database against every manager.
pub(crate) fn lock(place: &Place) -> Result<File, SiteError> {
    let file = files::open_private(&place.lock)
        .map_err(|error| SiteError::failed("make the lock", &error))?;
    match locks::take(&file) {
        Ok(true) => Ok(file),
        Ok(false) => Err(SiteError::InUse(place.held.clone())),
        Err(error) => Err(SiteError::failed("take the lock", &error)),
    }
}

/// Brings the tables of a site database up to date, unless others than this version's are there.
pub(crate) fn prepare(connection: &mut Connection, file: &str) -> Result<(), SiteError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let version = |connection: &Connection| {
        connection
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(|error| SiteError::failed("read the version", &error))
    };
    // Looked at before anything is changed: what a newer version wrote is left as it is.
    let found = version(connection)?;
    if found > known {
        return Err(SiteError::Newer {
            file: file.to_owned(),
            found,
            known,
        });
    }
    if found == known {
        must_be_ours(connection, file)?;
    }
    connection
        .execute_batch(WRITES)
        .map_err(|error| SiteError::failed("set up the file", &error))?;
    for (done, step) in (0_i64..).zip(STEPS) {
        if done < found {
            continue;
        }
        let next = done + 1;
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {step} PRAGMA user_version = {next}; COMMIT;"
            ))
            .map_err(|error| SiteError::failed("bring the tables up to date", &error))?;
    }
    usage::make_missing(connection)
        .map_err(|error| SiteError::failed("roll up the use that was recorded before", &error))?;
    open::close_left(connection)
        .map_err(|error| SiteError::failed("close the messages of what is over", &error))
}

/// Refuses a file that has other tables under the same number: a development build wrote it.
fn must_be_ours(connection: &Connection, file: &str) -> Result<(), SiteError> {
    let compare = || {
        let ours = Connection::open_in_memory()?;
        STEPS.iter().try_for_each(|step| ours.execute_batch(step))?;
        differences(connection, &ours, Beyond::Nothing)
    };
    let differs = compare().map_err(|error| SiteError::failed("look at the tables", &error))?;
    differs.map_or(Ok(()), |differs| {
        Err(SiteError::OtherBuild {
            file: file.to_owned(),
            differs,
        })
    })
}
