//! The file of before a restore, which is kept beside the site's.

use std::fs;
use std::path::{Path, PathBuf};

use usher_platform::files;

use super::beside;
use crate::copied::{CopyError, disk};

/// The file that was put aside, and its write-ahead log if that has something in it.
pub(super) type Aside = (Option<PathBuf>, Option<PathBuf>);

/// Puts `incoming` in the place of the file at `path`, which gets a name of its own, with the highest number
/// so far. There is a file at `path` all the time: a manager that starts meanwhile makes none.
pub(super) fn exchange(path: &Path, incoming: &Path) -> Result<Aside, CopyError> {
    let is_there = fs::symlink_metadata(path).is_ok();
    let aside = match is_there {
        true => keep(path)?,
        false => (None, None),
    };
    // What SQLite has left beside a file that is gone would be taken for the new one's.
    for ending in super::BESIDE {
        let left = beside(path, ending);
        files::remove_if_there(&left).map_err(disk("remove", &left))?;
    }
    fs::rename(incoming, path).map_err(disk("put the copy in the place of", path))?;
    let folder = files::folder_of(path);
    files::sync_folder(folder).map_err(disk("write", folder))?;
    Ok(aside)
}

fn keep(path: &Path) -> Result<Aside, CopyError> {
    let aside = files::next_before_restore(path);
    let log = beside(path, "-wal");
    let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    let kept_log = has_log.then(|| beside(&aside, "-wal"));
    if let Some(kept) = &kept_log {
        // First: the new file must never have it beside it.
        fs::rename(&log, kept).map_err(disk("put aside", &log))?;
    }
    if fs::hard_link(path, &aside).is_err() {
        // Some file systems give a file one name only.
        fs::rename(path, &aside).map_err(disk("put aside", path))?;
    }
    Ok((Some(aside), kept_log))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_before_is_kept_with_its_log_and_the_newest_has_the_highest_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.db");
        let incoming = folder.path().join("site.db.incoming");
        let put = |path: &Path, text: &str| fs::write(path, text).unwrap();
        put(&incoming, "one");
        assert_eq!(exchange(&path, &incoming).unwrap(), (None, None));
        put(&incoming, "two");
        put(&beside(&path, "-wal"), "log");
        put(&beside(&path, "-shm"), "index");
        let (kept, log) = exchange(&path, &incoming).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        assert_eq!(
            (read(&path), read(&kept.unwrap())),
            ("two".into(), "one".into())
        );
        assert_eq!(read(&log.unwrap()), "log");
        put(&incoming, "three");
        put(&folder.path().join("site.db.before-restore-9"), "");
        let (kept, log) = exchange(&path, &incoming).unwrap();
        assert!(kept.unwrap().ends_with("site.db.before-restore-10"));
        assert_eq!((read(&path), log), ("three".into(), None));
        for gone in super::super::BESIDE {
            assert!(!beside(&path, gone).exists());
        }
    }
}
