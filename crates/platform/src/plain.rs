//! What is the same on every system.

use std::io;
use std::path::{Path, PathBuf};

/// What the name of a replaced file has behind that of its place, before its number.
const BEFORE: &str = ".before-restore-";

/// Removes a file that may not be there.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folder that a path is in; of a bare name the current one.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The path of a file beside another: its name with a suffix.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The name for the database file at `path` when a restore replaces it: beside it, with the highest
/// number so far. Write-ahead logs that were put aside count as well.
pub fn next_before_restore(path: &Path) -> PathBuf {
    let last = numbers(path).map(|(number, _)| number).max().unwrap_or(0);
    with_number(path, last.saturating_add(1))
}

/// The files that restores have replaced at `path`; none if the folder cannot be read.
pub fn before_restores(path: &Path) -> impl Iterator<Item = PathBuf> {
    let files = numbers(path).filter(|(_, is_log)| !is_log);
    files.map(|(number, _)| with_number(path, number))
}

fn with_number(path: &Path, number: u32) -> PathBuf {
    beside(path, &format!("{BEFORE}{number}"))
}

/// The numbers of all that was put aside, and whether it is a write-ahead log.
fn numbers(path: &Path) -> impl Iterator<Item = (u32, bool)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let begins = format!("{name}{BEFORE}");
    let entries = std::fs::read_dir(folder_of(path));
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(move |entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(&begins)?;
            let of_log = number.strip_suffix("-wal");
            let number = of_log.unwrap_or(number).parse().ok()?;
            Some((number, of_log.is_some()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_replaced_file_has_the_highest_number_also_if_only_a_log_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.db");
        let name = |number: u32| {
            folder
                .path()
                .join(format!("site.db.before-restore-{number}"))
        };
        assert_eq!(next_before_restore(&path), name(1));
        for left in ["1", "2", "11", "12-wal", "x", "3-shm"] {
            let file = folder.path().join(format!("site.db.before-restore-{left}"));
            std::fs::write(file, "").unwrap();
        }
        assert_eq!(next_before_restore(&path), name(13));
        let mut there: Vec<PathBuf> = before_restores(&path).collect();
        there.sort();
        assert_eq!(there, [name(1), name(11), name(2)]);
    }
}
