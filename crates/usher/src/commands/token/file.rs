//! The file that a token is written to: private, and written completely or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use usher_api::TOKEN_PREFIX;
use usher_platform::files::{self, Readers};

pub(super) use usher_platform::files::is_output_an_empty_file;

use crate::failure::Failure;
use crate::host;

/// A limit: every token is shorter.
const LIMIT_BYTES: u64 = 4_096;

/// A file for a token, with what it holds now. Its new content is written beside it.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    held: Option<String>,
    part: PathBuf,
    out: File,
}

impl TokenFile {
    /// Looks at the file and makes sure that it can be written, before there is a token to lose.
    pub(super) fn new(path: &Path) -> Result<TokenFile, Failure> {
        let cannot = |error: io::Error| {
            Failure::failed(format!(
                "cannot write a token to {}: {error}",
                path.display()
            ))
            .next("Name another file with --to FILE.")
        };
        let held = held(path)?;
        // Of this run alone: another one may write a token to the same file.
        let part = files::beside(path, &format!(".{}.part", host::request_key()));
        let out = files::create_new(&part, Readers::Nobody).map_err(cannot)?;
        let file = TokenFile {
            path: path.to_owned(),
            held,
            part,
            out,
        };
        // The file stays of the account and group that it is of, such as a service's.
        files::keep_owner(&file.out, path).map_err(cannot)?;
        Ok(file)
    }

    /// The token that the file holds; `None` if it does not exist or is empty.
    pub(super) fn held(&self) -> Option<&str> {
        self.held.as_deref()
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the content of the file by a token.
    pub(super) fn replace(mut self, token: &str) -> Result<(), Failure> {
        let mut write = || {
            writeln!(self.out, "{token}")?;
            self.out.sync_all()?;
            fs::rename(&self.part, &self.path)?;
            files::sync_folder(files::folder_of(&self.path))
        };
        write().map_err(|error: io::Error| {
            Failure::failed(format!("cannot write {}: {error}", self.path.display()))
        })
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        // Renamed, or not wanted.
        drop(fs::remove_file(&self.part));
    }
}

/// The content of the file at `path`, which must be a token, so that a mistyped name overwrites no
/// other file.
fn held(path: &Path) -> Result<Option<String>, Failure> {
    let text = match files::read_own_text(path, LIMIT_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(
                Failure::failed(format!("{} can hold no token: {error}", path.display()))
                    .next("Name another file with --to FILE."),
            );
        }
    };
    let token = text.trim();
    if token.is_empty() {
        return Ok(None);
    }
    if !token.starts_with(TOKEN_PREFIX) || token.contains(char::is_whitespace) {
        return Err(Failure::failed(format!(
            "{} is there and holds something else than a token: it stays as it is",
            path.display()
        ))
        .next("Name another file with --to FILE."));
    }
    Ok(Some(token.to_owned()))
}
