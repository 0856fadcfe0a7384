//! Whether the files that are written to are still those at their paths.
//!
//! A file that was removed or replaced under a running server is still written to, and what is
//! written is lost with the process: nothing may be granted into it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use usher_platform::files::{self, Identity};

/// A data file and its write-ahead log, as they were when they were opened.
#[derive(Debug)]
pub(crate) struct Presence {
    files: Vec<(PathBuf, Option<Identity>)>,
}

impl Presence {
    /// For a file that only its writer can remove.
    pub(crate) fn sure() -> Presence {
        Presence { files: Vec::new() }
    }

    /// For the open data file at `path`.
    pub(crate) fn of(path: &Path) -> Presence {
        let mut log = OsString::from(path);
        log.push("-wal");
        let files = [path.to_owned(), log.into()].map(|path| {
            let identity = identity(&path);
            (path, identity)
        });
        Presence {
            files: files.into(),
        }
    }

    /// What is wrong, and what to do about it; none: nothing is.
    pub(crate) fn trouble(&self) -> Option<String> {
        let amiss = |(path, known): &(PathBuf, Option<Identity>)| {
            let found = identity(path);
            if found == *known || known.is_none() {
                return None;
            }
            let what = match found {
                None => "is not there any more",
                Some(_) => "is another file now",
            };
            Some(format!(
                "{} {what}, and what would be written is lost: put it back, or stop the server and \
                 restore a backup",
                path.display()
            ))
        };
        self.files.iter().find_map(amiss)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    files::identity(path).ok()
}
