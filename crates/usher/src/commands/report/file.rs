//! The file that a report is written to.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use usher_platform::files::{self, Readers};

use crate::failure::Failure;
use crate::output::shown_path;

/// Writes it whole or not at all, for its owner alone. What is no regular file, such as a pipe, is
/// written to as it is.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(there) if !there.is_file() => std::fs::write(path, bytes),
        _ => draft(path).and_then(|draft| files::put(path, &draft, Readers::Nobody, bytes)),
    };
    written.map_err(|error| {
        Failure::failed(format!(
            "cannot write the report to {}: {error}",
            shown_path(path)
        ))
        .next("Name another file with --output.")
    })
}

/// The file beside it that is written first.
fn draft(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut draft = OsString::from(".");
    draft.push(name);
    draft.push(".part");
    Ok(path.with_file_name(draft))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        for text in ["one", "another"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(folder.path(), b"text").is_err());
        assert!(write(&folder.path().join("none/report"), b"text").is_err());
    }
}
