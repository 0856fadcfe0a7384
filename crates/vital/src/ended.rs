//! The record of an end by panic: a file in the role's data directory that the next start reports.
//!
//! It stays until the next such end overwrites it, so that whoever asks later is told, too.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A longer record is cut off, and one that is longer is not read.
const LIMIT_BYTES: u64 = 16 * 1024;
/// What a panic said is kept up to this length: as long as a text on the wire may be.
const WHAT_LIMIT_BYTES: usize = 255;

/// Why a role ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Unix milliseconds, wall clock.
    pub at_ms: i64,
    /// The thread or task that panicked.
    pub thread: String,
    /// What the panic said.
    pub what: String,
    /// The version that ran.
    pub version: String,
}

/// The file of `role` in its data directory.
pub fn file(data: &Path, role: &str) -> PathBuf {
    data.join(format!("{role}.ended.json"))
}

/// The last end by panic of `role`. None if there was none, or the record cannot be read.
pub fn last(data: &Path, role: &str) -> Option<Ended> {
    let mut text = String::new();
    let file = fs::File::open(file(data, role)).ok()?;
    file.take(LIMIT_BYTES).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Writes the record: whole, or not at all.
pub(crate) fn keep(file: &Path, ended: &Ended) -> io::Result<()> {
    let part = file.with_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&part)?;
    out.write_all(&serde_json::to_vec(ended)?)?;
    out.sync_all()?;
    fs::rename(&part, file)
}

/// What a panic said, as far as it is kept: one line of ASCII.
pub(crate) fn cut(what: &str) -> String {
    let visible = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
    what.chars().take(WHAT_LIMIT_BYTES).map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_end_is_read_as_it_was_written_and_a_torn_record_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(last(folder.path(), "server"), None);
        let mut ended = Ended {
            at_ms: 7,
            thread: "usher-writer".to_owned(),
            what: cut(&"é\n".repeat(1_000)),
            version: "1".to_owned(),
        };
        let file = file(folder.path(), "server");
        keep(&file, &ended).unwrap();
        assert!(ended.what.len() == WHAT_LIMIT_BYTES && !ended.what.contains('\n'));
        assert_eq!(last(folder.path(), "server"), Some(ended.clone()));
        ended.at_ms = 8;
        keep(&file, &ended).unwrap();
        assert_eq!(last(folder.path(), "server"), Some(ended));
        fs::write(&file, "{").unwrap();
        assert_eq!(last(folder.path(), "server"), None);
        assert_eq!(last(folder.path(), "agent"), None);
    }
}
