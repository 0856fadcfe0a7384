//! A data file as a whole: what lies beside it, its copy, and its check.

use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use usher_platform::files::{self, Readers};

use crate::base::error::StoreError;
use crate::base::meta;

/// A data file and what SQLite keeps beside it.
pub(crate) const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];
/// What lies beside a file under its name and more.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    files::remove_if_there(path).map_err(system("remove", path))
}

/// What the system said, as an error.
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

/// Writes what `connection` has open to the file `to`, in the place of what may be there: whole and
/// on disk under that name, or not at all. What a killed one left is removed.
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

/// SQLite takes an empty file for none, and would make one that others may read.
pub(crate) fn make_empty(to: &Path) -> Result<(), StoreError> {
    files::create_new(to, Readers::Nobody)
        .map(drop)
        .map_err(system("write the snapshot", to))
}

/// A path as SQLite takes one, byte for byte: a folder's name need not be UTF-8 on Linux.
struct FileName<'a>(&'a Path);

impl ToSql for FileName<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = self.0.as_os_str().as_encoded_bytes();
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
    }
}

/// Writes what a connection has open to an empty file, and syncs it.
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

/// Whether a file is a whole data file of usher.
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
