//! The folder of a rehearsal: it is in the data directory, so on the same disk, nobody else may
//! enter it, and it is removed when the rehearsal is over.

use std::io;
use std::path::{Path, PathBuf};

use usher_platform::files;
use usher_platform::lock::{self, FolderLock};

const FOLDER: &str = "rehearsal";

/// A folder for one rehearsal. Dropping it removes it.
pub(crate) struct Rehearsing {
    path: PathBuf,
    _lock: FolderLock,
}

impl Rehearsing {
    /// Makes the folder; one that a killed rehearsal has left is removed.
    ///
    /// # Errors
    /// Another rehearsal is going on, or the folder cannot be made.
    pub(crate) fn begin(data: &Path) -> io::Result<Rehearsing> {
        let path = data.join(FOLDER);
        let taken = lock::take_folder(data)?;
        let lock = taken.ok_or_else(|| io::Error::other("another rehearsal is going on there"))?;
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        files::make_private_folder(&path)?;
        Ok(Rehearsing { path, _lock: lock })
    }

    /// The path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Rehearsing {
    fn drop(&mut self) {
        // The next one removes what cannot be removed now.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
