//! The file that a backup is written to until it is whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use usher_platform::files::{self, Readers};
use usher_platform::lock;

/// Makes the file at `path`, empty and for its owner alone, with its lock for as long as it is open. One that
/// was cut off is replaced; none: another backup is writing there.
pub(super) fn begin(path: &Path) -> io::Result<Option<File>> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        // In a folder of others' a link of theirs may stand there; it is never followed.
        fs::remove_file(path)?;
    }
    match files::open_regular(path) {
        Ok(left) if !lock::take(&left)? => return Ok(None),
        // Else it was replaced meanwhile.
        Ok(left) if is_at(&left, path) => fs::remove_file(path)?,
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // It is somebody else's.
        Err(_) => fs::remove_file(path)?,
    }
    let made = match files::create_new(path, Readers::Nobody) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        made => made?,
    };
    // Who looked before the lock was taken took it for one that was cut off.
    let is_own = lock::take(&made)? && is_at(&made, path);
    Ok(is_own.then_some(made))
}

/// Whether an open file is the one at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let number = |facts: fs::Metadata| (facts.dev(), facts.ino());
    let of_path = fs::symlink_metadata(path).map(number);
    matches!((file.metadata().map(number), of_path), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_backup_at_a_time_is_written_to_a_file_and_one_that_was_cut_off_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.part");
        let first = begin(&path).unwrap().unwrap();
        fs::write(&path, "half").unwrap();
        assert!(begin(&path).unwrap().is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "half");
        drop(first);
        let second = begin(&path).unwrap().unwrap();
        assert_eq!(second.metadata().unwrap().len(), 0);
        assert!(is_at(&second, &path));
        drop(second);
        // What a link leads to is left alone.
        let other = folder.path().join("other");
        fs::write(&other, "theirs").unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(begin(&path).unwrap().is_some());
        assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }
}
