//! Data files from before a restore, which are kept beside the data.

use std::path::{Path, PathBuf};

use usher_platform::files::{before_restores, next_before_restore};

use crate::base::error::StoreError;
use crate::base::whole::{beside, remove, system};

/// A data file that a restore has put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    pub(crate) path: PathBuf,
    /// Its write-ahead log, if that is not empty: the file is not complete without it.
    pub(crate) log: Option<PathBuf>,
}

/// Renames the former data file, and its write-ahead log if that is not empty. Its number is the
/// highest. Other files that SQLite keeps beside it are removed: SQLite makes them again when it
/// opens the file.
pub(crate) fn put(path: &Path) -> Result<Aside, StoreError> {
    let aside = next_before_restore(path);
    let log = beside(path, "-wal");
    let has_log = std::fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    std::fs::rename(path, &aside).map_err(system("put aside", path))?;
    let kept = beside(&aside, "-wal");
    match has_log {
        true => std::fs::rename(&log, &kept).map_err(system("put aside", &log))?,
        false => remove(&log)?,
    }
    remove(&beside(path, "-shm"))?;
    Ok(Aside {
        path: aside,
        log: has_log.then_some(kept),
    })
}

/// How many data files were put aside, and how large they are with their logs.
pub(crate) fn count(data: &Path) -> (usize, u64) {
    before_restores(&data.join("cache.db")).fold((0, 0_u64), |(count, bytes), path| {
        let sizes = ["", "-wal", "-shm"].map(|suffix| beside(&path, suffix));
        let sizes = sizes
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|file| file.len());
        (count + 1, sizes.fold(bytes, u64::saturating_add))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data directory with a data file and what lies beside it, of so many bytes.
    fn with(log: Option<usize>, index: bool) -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("cache.db"), [1; 10]).unwrap();
        if let Some(bytes) = log {
            std::fs::write(data.path().join("cache.db-wal"), vec![2; bytes]).unwrap();
        }
        if index {
            std::fs::write(data.path().join("cache.db-shm"), [3; 30]).unwrap();
        }
        data
    }

    fn names(data: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(data).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn of_a_file_that_was_closed_nothing_is_kept_but_the_file() {
        for (log, index) in [(None, false), (Some(0), true), (None, true)] {
            let data = with(log, index);
            let kept = put(&data.path().join("cache.db")).unwrap();
            assert_eq!(kept.log, None);
            assert_eq!(names(data.path()), ["cache.db.before-restore-1"]);
            assert_eq!(count(data.path()), (1, 10));
        }
    }

    #[test]
    fn a_log_with_something_in_it_is_kept_with_its_file_and_counted() {
        let data = with(Some(20), true);
        let kept = put(&data.path().join("cache.db")).unwrap();
        let log = data.path().join("cache.db.before-restore-1-wal");
        assert_eq!(kept.log, Some(log));
        let left = ["cache.db.before-restore-1", "cache.db.before-restore-1-wal"];
        assert_eq!(names(data.path()), left);
        assert_eq!(count(data.path()), (1, 30));
    }

    #[test]
    fn the_newest_has_the_highest_number() {
        let data = with(None, false);
        for number in [1, 2, 11] {
            let path = data
                .path()
                .join(format!("cache.db.before-restore-{number}"));
            std::fs::write(path, "").unwrap();
        }
        let kept = put(&data.path().join("cache.db")).unwrap();
        assert!(kept.path.ends_with("cache.db.before-restore-12"));
        assert_eq!(count(data.path()).0, 4);
    }
}
