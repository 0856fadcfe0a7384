//! Programs that are never refused: without them nobody could use a computer, log in or repair it.

use rustc_hash::FxHashMap;

use super::{SystemRole, system_role};

/// What the kernel appends to the path of a file that was removed.
const DELETED: &[u8] = b" (deleted)";

/// The identity of a file in the kernel: a copy is another file, a renamed or linked one the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device that it lies on.
    pub device: u64,
    /// Its inode number on the device.
    pub inode: u64,
}

/// A program that is being started, as the kernel shows it.
#[derive(Debug, Clone, Copy)]
pub struct Started<'a> {
    /// The path of the file, symbolic links followed.
    pub path: &'a [u8],
    /// The file, by device and inode.
    pub file: FileId,
    /// Whether the file belongs to the computer's administrator, such as root.
    pub is_administrators: bool,
}

/// The programs that are never refused on one computer.
#[derive(Debug, Clone, Default)]
pub struct Needed {
    files: FxHashMap<FileId, SystemRole>,
}

impl Needed {
    /// Never refuses these files, by whichever path they are started: Usher's own, and the
    /// installed shells and loaders.
    pub fn new(files: impl IntoIterator<Item = (FileId, SystemRole)>) -> Self {
        let files = files.into_iter();
        Needed {
            files: files.filter(|(_, role)| role.never_refused()).collect(),
        }
    }

    /// What the system needs a program for whose start is never refused, not even if a rule
    /// was forced; none: the rules decide.
    ///
    /// It is one of the files that were given, or a file of root's that bears the name or lies in
    /// the folder of what every system needs. A user's own file is not spared for its name, or
    /// everybody could rename a program out of its rule.
    pub fn never_refused(&self, started: &Started<'_>) -> Option<SystemRole> {
        if let Some(role) = self.files.get(&started.file) {
            return Some(*role);
        }
        let path = started.path.strip_suffix(DELETED).unwrap_or(started.path);
        system_role(path).filter(|role| role.never_refused() && started.is_administrators)
    }
}
