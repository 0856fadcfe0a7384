//! A data file as a whole: what lies beside it, its copy, and its check.

use std::path::Path;

use rusqlite::Connection;
use usher_platform::files::{self, Readers};
use usher_tables::FileName;

use crate::base::error::StoreError;
use crate::base::meta;
pub(crate) use usher_platform::files::beside;

/// A data file and what SQLite keeps beside it.
pub(crate) const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// Removes a file if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    files::remove_if_there(path).map_err(system("remove", path))
}

/// An error of the operating system.
pub(crate) fn system(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_path_buf();
    move |error| StoreError::System {
        doing,
        path,
        why: error.to_string(),
    }
}

/// Writes the database of `connection` to the file `to` and replaces a file of that name:
/// completely and synced, or not at all. Remains of a killed process are removed.
pub(crate) fn copy_whole(
    connection: &Connection,
    path: &Path,
    to: &Path,
) -> Result<(), StoreError> {
    let partial = beside(to, ".partial");
    for suffix in SUFFIXES {
        remove(&beside(&partial, suffix))?;
    }
    make_empty(&partial)?;
    vacuum_into(connection, path, &partial)?;
    std::fs::rename(&partial, to).map_err(system("name the saved file", to))?;
    let folder = files::folder_of(to);
    files::sync_folder(folder).map_err(system("write", folder))
}

/// Makes an empty file that only its owner can read: SQLite would make one that others can read.
pub(crate) fn make_empty(to: &Path) -> Result<(), StoreError> {
    files::create_new(to, Readers::Nobody)
        .map(drop)
        .map_err(system("write the snapshot", to))
}

/// Writes the database of a connection to an empty file, and syncs it.
pub(crate) fn vacuum_into(
    connection: &Connection,
    path: &Path,
    to: &Path,
) -> Result<(), StoreError> {
    connection
        .execute("VACUUM INTO ?1", [FileName(to)])
        .map_err(|source| StoreError::Database {
            doing: "take a snapshot of",
            path: path.into(),
            source,
        })?;
    files::sync_file(to).map_err(system("write the snapshot", to))
}

/// Whether a file is a complete data file of usher.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Damaged {
        path: path.into(),
        why,
    };
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if verdict != "ok" {
        return Err(damaged(format!("the integrity check says: {verdict}")));
    }
    match meta::version(connection) {
        Ok(0) => Err(damaged("it is no data file of usher".to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(damaged(error.to_string())),
    }
}
