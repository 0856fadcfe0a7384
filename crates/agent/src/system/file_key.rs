//! Which file it is, and whether it is still as it was.

use std::fs::File;
use std::io;

use rustix::fs::{Stat, fstat};
use usher_core::identify::FileId;
use usher_core::sessions::AccountKey;

use super::account_key;

/// A file, whatever it is called: while it is open or cached, these together are only its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileKey {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: i64,
    pub(crate) modified: (i64, i64),
    /// Changes with contents, name, links and owner.
    pub(crate) changed: (i64, i64),
}

impl FileKey {
    pub(crate) fn of(stat: &Stat) -> Self {
        FileKey {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size,
            modified: (stat.st_mtime, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime, stat.st_ctime_nsec as i64),
        }
    }

    /// Of an open program, with whether `account` may run it: as its owner, or as everybody may.
    pub(crate) fn of_program(file: &File, account: AccountKey) -> io::Result<(Self, bool)> {
        let stat = fstat(file)?;
        let is_owner = account_key::of_uid(stat.st_uid) == account;
        let may_run = is_owner || stat.st_mode & 0o001 != 0;
        Ok((FileKey::of(&stat), may_run))
    }

    /// Which file it is, whatever is in it.
    pub(crate) fn id(&self) -> FileId {
        FileId {
            device: self.device,
            inode: self.inode,
        }
    }

    /// Whether both are the same file with the same contents, however it was moved or linked.
    pub(crate) fn same_contents(&self, other: &FileKey) -> bool {
        FileKey {
            changed: other.changed,
            ..*self
        } == *other
    }
}
