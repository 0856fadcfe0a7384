//! The backups of a folder: how one gets its name, and which are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use usher_platform::files;

use crate::failure::Failure;

/// How backups of a kind are named: what stands before and behind their time.
pub(super) struct Names {
    pub(super) prefix: &'static str,
    pub(super) suffix: &'static str,
}

impl Names {
    /// Of a server's data.
    pub(super) const SERVER: Names = Names::of("usher-", ".db");

    /// Of another kind: what stands before and behind their time.
    pub(super) const fn of(prefix: &'static str, suffix: &'static str) -> Names {
        Names { prefix, suffix }
    }

    /// Of one that is made now.
    pub(super) fn now(&self) -> String {
        let now = jiff::ZonedDateTime::now().strftime("%Y-%m-%dT%H%M%S");
        format!("{}{now}{}", self.prefix, self.suffix)
    }

    fn is_one(&self, name: &str) -> bool {
        let time = name
            .strip_prefix(self.prefix)
            .and_then(|rest| rest.strip_suffix(self.suffix));
        time.is_some_and(|time| {
            let is_like = |(c, like): (char, char)| match like {
                '0' => c.is_ascii_digit(),
                like => c == like,
            };
            time.len() == TIME.len() && time.chars().zip(TIME.chars()).all(is_like)
        })
    }
}

/// What its name ends with besides, until it is whole.
pub(super) const PART: &str = ".part";
/// A backup that is not whole and was not written to for so long is one that was cut off.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);
/// What is between: a time, digits being 0 here.
const TIME: &str = "0000-00-00T000000";

/// Renames `part` to `file`; fails if that is there, unless it is to be replaced.
fn give_name(part: &Path, file: &Path, overwrite: bool) -> io::Result<()> {
    match overwrite {
        true => fs::rename(part, file),
        false => files::rename_new(part, file),
    }
}

/// Gives a backup that is written its name, on disk; an error of kind `AlreadyExists` if that is taken.
pub(super) fn finish(part: &Path, file: &Path, overwrite: bool) -> io::Result<()> {
    give_name(part, file, overwrite).inspect_err(|_| drop(fs::remove_file(part)))?;
    files::sync_folder(files::folder_of(file))
}

/// Removes all but the last `keep` backups of a folder, and what backups that were cut off left
/// there; answers which. `new` is kept whatever its name sorts behind: names are of the local time,
/// which repeats an hour when summer time ends, and a clock may have been ahead.
pub(super) fn prune(
    (folder, names): (&Path, &Names),
    new: &Path,
    keep: u32,
) -> Result<Vec<PathBuf>, Failure> {
    let failed = |doing: &str, path: &Path, error: &io::Error| {
        Failure::failed(format!("cannot {doing} {}: {error}", path.display()))
            .next("The new backup is written; older ones than --keep says are there, too.")
    };
    let entries = fs::read_dir(folder).map_err(|error| failed("read", folder, &error))?;
    let (mut backups, mut removed) = (Vec::new(), Vec::new());
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let Some(text) = name.to_str().filter(|_| is_file) else {
            continue;
        };
        if names.is_one(text) && new.file_name() != Some(&name) {
            backups.push(entry.path());
        } else if text.strip_suffix(PART).is_some_and(|it| names.is_one(it)) && is_left(&entry) {
            removed.push(entry.path());
        }
    }
    backups.sort();
    let others = (keep as usize).saturating_sub(1);
    backups.truncate(backups.len().saturating_sub(others));
    removed.append(&mut backups);
    for old in &removed {
        fs::remove_file(old).map_err(|error| failed("remove", old, &error))?;
    }
    Ok(removed)
}

/// Whether nobody has written to it for a day.
fn is_left(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|meta| meta.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT))
}

#[cfg(test)]
mod tests;
