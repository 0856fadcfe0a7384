//! The place of a data file, which decides what lies beside it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// The place of a data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A directory of this computer, which other processes can use: the file is locked, it has a
    /// mark while it is closed, others can read it, and somebody may remove it.
    Directory,
    /// An SQLite VFS of that name, for a single connection: nothing lies beside the file.
    Vfs(&'static str),
}

impl Place {
    pub(crate) fn is_directory(self) -> bool {
        self == Place::Directory
    }

    /// Opens the file for writing.
    pub(crate) fn open(self, path: &Path) -> rusqlite::Result<Connection> {
        let Place::Vfs(vfs) = self else {
            return Connection::open(path);
        };
        let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs)?;
        // Before the first look at the file: SQLite then needs no memory that is shared.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        Ok(connection)
    }
}
