//! Which files a log was read from, so that a watch that starts again finds them, however they are called
//! by then: by their first bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use usher_platform::files;

/// First bytes of a file that tell it from others.
pub(crate) const HEAD_BYTES: usize = 1_024;
/// Files of a log that are remembered.
pub(crate) const PARTS_KEPT: usize = 3;
/// Names in the log's folder that are looked at.
const NAMES_LIMIT: usize = 10_000;
/// Older files of a log that are read at the most.
const OLDER_LIMIT: usize = 100;

/// A file of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The hash of its first bytes.
    head: String,
    /// How many these are.
    head_bytes: u64,
    /// All rows that so many bytes of it make were taken.
    pub(crate) taken_bytes: u64,
}

impl Part {
    pub(crate) fn new(head: &[u8], taken_bytes: u64) -> Part {
        Part {
            head: HEXLOWER.encode(&Sha256::digest(head)),
            head_bytes: head.len() as u64,
            taken_bytes,
        }
    }

    /// Whether the file begins as this one did, and is no shorter.
    fn is(&self, path: &Path) -> io::Result<bool> {
        let mut file = files::open_regular(path)?;
        let length = file.metadata()?.len();
        let head = head(&mut file, self.head_bytes)?;
        Ok(self.head_bytes > 0
            && length >= self.taken_bytes.max(self.head_bytes)
            && HEXLOWER.encode(&Sha256::digest(&head)) == self.head)
    }
}

/// The first bytes of a file; it is read on from its beginning.
pub(crate) fn head(file: &mut File, bytes: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(bytes.min(HEAD_BYTES as u64))
        .read_to_end(&mut head)?;
    Ok(head)
}

/// A file of the log that is read again from its beginning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// Rows of so many bytes were taken.
    pub(crate) taken_bytes: u64,
    /// Another file of the log follows.
    pub(crate) is_past: bool,
}

/// The files of a log that were read before and are there still, and those that began after them, the
/// oldest first. What is not there any more is left out, and so is what is compressed by now.
pub(crate) fn found(log: &Path, parts: &[Part]) -> Vec<Found> {
    let mut others = others(log);
    let mut found = Vec::new();
    let mut newest = None;
    for part in parts {
        if part.is(log).unwrap_or(false) {
            found.push(Found {
                path: log.to_owned(),
                taken_bytes: part.taken_bytes,
                is_past: false,
            });
            return found;
        }
        let place = others
            .iter()
            .position(|(path, _)| part.is(path).unwrap_or(false));
        if let Some(place) = place {
            let (path, written) = others.remove(place);
            newest = Some(written);
            found.push(Found {
                path,
                taken_bytes: part.taken_bytes,
                is_past: true,
            });
        }
    }
    // The log was renamed again while nobody read it.
    let later = others
        .into_iter()
        .filter(|(_, written)| newest.is_some_and(|newest| *written > newest));
    found.extend(later.take(OLDER_LIMIT).map(|(path, _)| Found {
        path,
        taken_bytes: 0,
        is_past: true,
    }));
    found
}

/// Files beside a log that are called as it is and something more, such as `debug.log.1` and
/// `debug.log-20261130`, by when they were last written.
fn others(log: &Path) -> Vec<(PathBuf, SystemTime)> {
    let name = log.file_name().unwrap_or_default().as_encoded_bytes();
    let Ok(entries) = std::fs::read_dir(files::folder_of(log)) else {
        return Vec::new();
    };
    let mut others = Vec::new();
    for entry in entries.flatten().take(NAMES_LIMIT) {
        let called = entry.file_name();
        let more = called.as_encoded_bytes().strip_prefix(name);
        let Some(more) = more.filter(|more| is_of_older(more)) else {
            continue;
        };
        // One that is empty has nothing to be told by.
        let is_some = |about: &std::fs::Metadata| about.is_file() && about.len() > 0;
        let about = entry.metadata().ok().filter(is_some);
        if let (false, Some(Ok(written))) = (more.is_empty(), about.map(|about| about.modified())) {
            others.push((entry.path(), written));
        }
    }
    others.sort_by_key(|(_, written)| *written);
    others
}

/// Whether a name goes on as that of an older file: with numbers, or as `.old`.
fn is_of_older(more: &[u8]) -> bool {
    let usual = |byte: &u8| byte.is_ascii_digit() || b".-_T:".contains(byte);
    more == b".old" || more.iter().all(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str, written_seconds: u64) {
        std::fs::write(path, text).unwrap();
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(written_seconds);
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(at)
            .unwrap();
    }

    fn names(found: &[Found]) -> Vec<(String, u64, bool)> {
        let one = |it: &Found| {
            let name = it.path.file_name().unwrap().to_string_lossy().into_owned();
            (name, it.taken_bytes, it.is_past)
        };
        found.iter().map(one).collect()
    }

    #[test]
    fn a_log_is_found_by_its_first_bytes_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("debug.log");
        let other = |more: &str| folder.path().join(format!("debug.log{more}"));
        write(&other(".1"), "first file\n", 100);
        write(&other(".gz"), "first file\n", 100);
        write(&log, "second file\n", 300);
        let parts = [Part::new(b"first", 6), Part::new(b"second", 3)];
        let expected = [
            ("debug.log.1".to_owned(), 6, true),
            ("debug.log".to_owned(), 3, false),
        ];
        assert_eq!(names(&found(&log, &parts)), expected);

        // Renamed twice since, and the first is gone.
        std::fs::remove_file(other(".1")).unwrap();
        std::fs::rename(&log, other(".3")).unwrap();
        write(&other("-20261130"), "third file\n", 400);
        write(&other(".txt"), "a note\n", 500);
        write(&log, "fourth file\n", 600);
        let expected = [
            ("debug.log.3".to_owned(), 3, true),
            ("debug.log-20261130".to_owned(), 0, true),
        ];
        assert_eq!(names(&found(&log, &parts)), expected);
    }

    #[test]
    fn a_file_that_is_shorter_or_begins_otherwise_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("debug.log");
        write(&log, "first", 100);
        assert_eq!(found(&log, &[Part::new(b"first", 6)]), []);
        assert_eq!(found(&log, &[Part::new(b"fir", 5)]).len(), 1);
        assert_eq!(found(&log, &[Part::new(b"second", 2)]), []);
        assert_eq!(found(&log, &[Part::new(b"", 0)]), []);
        let none = folder.path().join("none/debug.log");
        assert_eq!(found(&none, &[Part::new(b"first", 5)]), []);
    }
}
