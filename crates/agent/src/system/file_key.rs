//! Which file it is, and whether it is still as it was.

use rustix::fs::Stat;
use usher_core::identify::FileId;

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
