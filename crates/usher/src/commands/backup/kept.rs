//! The backups of a folder: how one gets its name, and which are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::failure::Failure;

/// How the name of a backup begins.
pub(super) const PREFIX: &str = "usher-";
/// How it ends.
pub(super) const SUFFIX: &str = ".db";
/// What is between: a time, digits being 0 here.
const TIME: &str = "0000-00-00T000000";

/// Renames `part` to `file`; fails if that is there, unless it is to be replaced.
pub(super) fn give_name(part: &Path, file: &Path, overwrite: bool) -> io::Result<()> {
    if overwrite {
        return fs::rename(part, file);
    }
    match renameat_with(CWD, part, CWD, file, RenameFlags::NOREPLACE) {
        // A file system that cannot promise it: it is looked at instead.
        Err(Errno::INVAL | Errno::NOSYS) if file.exists() => {
            Err(io::ErrorKind::AlreadyExists.into())
        }
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(part, file),
        renamed => Ok(renamed?),
    }
}

/// Removes all but the last `keep` backups of a folder; which.
pub(super) fn prune(folder: &Path, keep: u32) -> Result<Vec<PathBuf>, Failure> {
    let failed = |doing: &str, path: &Path, error: &io::Error| {
        Failure::failed(format!("cannot {doing} {}: {error}", path.display()))
            .next("The new backup is written; older ones than --keep says are there, too.")
    };
    let entries = fs::read_dir(folder).map_err(|error| failed("read", folder, &error))?;
    let mut backups: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter(|entry| entry.file_name().to_str().is_some_and(is_backup))
        .map(|entry| entry.path())
        .collect();
    backups.sort();
    let over = backups.len().saturating_sub(keep as usize);
    backups.truncate(over);
    for old in &backups {
        fs::remove_file(old).map_err(|error| failed("remove", old, &error))?;
    }
    Ok(backups)
}

fn is_backup(name: &str) -> bool {
    let time = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX));
    time.is_some_and(|time| {
        let is_like = |(c, like): (char, char)| match like {
            '0' => c.is_ascii_digit(),
            like => c == like,
        };
        time.len() == TIME.len() && time.chars().zip(TIME.chars()).all(is_like)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_are_named_as_backups_are_counted_and_removed() {
        assert!(is_backup("usher-2026-01-31T020000.db"));
        for name in [
            "usher.db",
            "usher-important.db",
            "usher-2026-01-31T0200.db",
            "usher-2026-01-31T020000.db.part",
            "usher-2026-01-31T02000é.db",
        ] {
            assert!(!is_backup(name), "{name}");
        }
    }
}
