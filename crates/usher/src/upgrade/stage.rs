//! The folder in which programs are kept while they are tried and exchanged: it is beside the
//! installed program, only the account that upgrades may enter it, and it is removed afterwards.

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

const FOLDER: &str = ".usher-upgrade";

/// A folder for the programs of one upgrade. Dropping it removes it.
pub(crate) struct Stage {
    path: PathBuf,
    _lock: File,
}

impl Stage {
    /// Makes the folder in the first of `places` in which that is possible; one that a killed
    /// upgrade has left is removed.
    ///
    /// # Errors
    /// Another upgrade is going on, or there is no such place.
    pub(crate) fn begin(places: &[PathBuf]) -> io::Result<Stage> {
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for place in places {
            match Stage::at(&place.join(FOLDER)) {
                Err(error) if error.kind() != io::ErrorKind::ResourceBusy => failed = error,
                made => return made,
            }
        }
        Err(failed)
    }

    fn at(path: &Path) -> io::Result<Stage> {
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let lock = usher_platform::files::open_folder(path)?;
        let facts = std::fs::symlink_metadata(path)?;
        if !facts.is_dir() || facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!(
                "{} is somebody else's: remove it, or move it away",
                path.display()
            )));
        }
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let why = "another upgrade is going on there";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
            }
            Err(error) => return Err(error.into()),
        }
        for left in std::fs::read_dir(path)? {
            std::fs::remove_file(left?.path())?;
        }
        // The account that tries the programs reads and starts them, and changes nothing.
        lock.set_permissions(PermissionsExt::from_mode(0o755))?;
        Ok(Stage {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The next one removes what cannot be removed now.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
