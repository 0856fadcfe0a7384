//! The folder that certificates and keys are kept in.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use usher_platform::files::{self, Readers};

use crate::failure::Failure;

/// A limit: a chain and a key have a few thousand bytes.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// A folder that exists.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if it does not exist.
    pub(super) fn new(path: PathBuf) -> Result<Folder, Failure> {
        // What is printed is pasted elsewhere.
        let path = std::path::absolute(&path).unwrap_or(path);
        let made = files::make_folders(&path, Readers::Everybody);
        made.map_err(|error| {
            Failure::failed(format!(
                "cannot make the folder {}: {error}",
                path.display()
            ))
            .next("Name another with --dir DIR.")
        })?;
        Ok(Folder(path))
    }

    /// A file in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The content of a file; `None` if it does not exist.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.path(name);
        let read = || {
            let mut text = String::new();
            let file = File::open(&path)?;
            file.take(LIMIT_BYTES).read_to_string(&mut text)?;
            Ok::<_, io::Error>(text)
        };
        match read() {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::failed(format!(
                "cannot read {}: {error}",
                path.display()
            ))),
        }
    }

    /// Writes a file completely or not at all; a secret can be read only by its owner from the
    /// first byte on.
    pub(super) fn write(&self, name: &str, text: &str, is_secret: bool) -> Result<(), Failure> {
        let path = self.path(name);
        let part = self.path(&format!("{name}.part"));
        let readers = match is_secret {
            true => Readers::Nobody,
            false => Readers::Everybody,
        };
        files::put(&path, &part, readers, text.as_bytes()).map_err(|error| {
            Failure::failed(format!("cannot write {}: {error}", path.display()))
                .next("Name a folder that you may write to with --dir DIR.")
        })
    }
}
