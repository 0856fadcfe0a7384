//! Locks between processes, which end with the process that holds them at the latest.
//!
//! A lock on a file hinders nobody from reading or writing it, and is of another kind than SQLite's
//! own locks, so that the two do not meet.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::system::lock as system;

pub use crate::terms::Holder;

/// Takes the lock of a file for as long as `file` is open, and does not wait for it; false if
/// another holds it.
///
/// # Errors
/// The file system has no locks, or the system says no.
pub fn take(file: &File) -> io::Result<bool> {
    system::take(file)
}

/// The lock of a folder, held while this lives.
#[derive(Debug)]
pub struct FolderLock {
    _held: File,
}

/// Takes the lock of a folder, and does not wait for it; none if another holds it.
///
/// # Errors
/// The folder cannot be opened, or the system says no.
pub fn take_folder(folder: &Path) -> io::Result<Option<FolderLock>> {
    let file = system::file_of_folder(folder)?;
    Ok(take(&file)?.then_some(FolderLock { _held: file }))
}

/// Who holds the lock of the file at `path`; none: nobody. It is asked without touching the lock,
/// so a process that takes it at this moment is not disturbed.
///
/// # Errors
/// There is no such file, or the system does not say.
pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
    system::holder(path)
}

/// The processes that hold a read lock on bytes of the file at `path` that lie in `bytes`, each
/// once. Empty if the system does not say. Waits for the disk.
pub fn readers(path: &Path, bytes: RangeInclusive<u64>) -> Vec<Holder> {
    system::readers(path, bytes)
}

/// What a process calls itself; none if the system does not say.
pub fn process_name(pid: u32) -> Option<String> {
    system::process_name(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_while_its_file_is_open_and_hinders_no_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = crate::files::open_private(&path).unwrap();
        let second = crate::files::open_private(&path).unwrap();
        assert!(take(&first).unwrap());
        assert!(!take(&second).unwrap());
        std::fs::write(&path, "written meanwhile").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"written meanwhile");
        drop(first);
        assert!(take(&second).unwrap());
    }

    #[test]
    fn a_folders_lock_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let held = take_folder(folder.path()).unwrap();
        assert!(held.is_some() && take_folder(folder.path()).unwrap().is_none());
        drop(held);
        assert!(take_folder(folder.path()).unwrap().is_some());
        assert!(take_folder(&folder.path().join("none")).is_err());
    }
}
