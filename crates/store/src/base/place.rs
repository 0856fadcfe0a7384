//! Where a data file lies, and so what lies beside it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Where a data file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a directory of this computer, which others have too: it is locked, it has a mark when it
    /// is closed, others read it, and somebody may take it away.
    Directory,
    /// In an SQLite VFS of that name, for one connection alone: nothing lies beside it.
    Vfs(&'static str),
}

impl Place {
    pub(crate) fn is_directory(self) -> bool {
        self == Place::Directory
    }

    /// Opens the file to write.
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
