//! The admin's token: made at the first start, a hash of it in memory.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

const FILE: &str = "admin.token";

/// The admin's token, as the file holds it.
pub(crate) struct Admin {
    file: PathBuf,
    hash: Mutex<[u8; 32]>,
}

impl Admin {
    /// The token of somebody else's file.
    pub(crate) fn of(file: PathBuf) -> io::Result<Admin> {
        let hash = Mutex::new(read(&file)?);
        Ok(Admin { file, hash })
    }

    /// The token in a data directory, made where there is none.
    pub(crate) fn in_data(data: &Path) -> io::Result<Admin> {
        let file = data.join(FILE);
        let held = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        if held.trim().is_empty() {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write(&file, &format!("usher_{hex}"))?;
        }
        Admin::of(file)
    }

    /// Whether a token is this one. The file may have been written anew: it is read again before
    /// a token is refused.
    pub(crate) fn is(&self, token: &str) -> bool {
        // Hashes of what is long and random: to compare them tells nothing of the token.
        let shown = hash(token);
        let mut known = self.hash.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != shown
            && let Ok(now) = read(&self.file)
        {
            *known = now;
        }
        *known == shown
    }

    /// Where the token is.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

fn read(file: &Path) -> io::Result<[u8; 32]> {
    let text = std::fs::read_to_string(file)?;
    match text.trim() {
        "" => Err(io::Error::other(format!("{} is empty", file.display()))),
        token => Ok(hash(token)),
    }
}

/// The hash by which a token is known: tokens are long and random, so a fast one does.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whole or not at all.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let part = path.with_extension("part");
    if let Err(error) = std::fs::remove_file(&part)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    std::fs::rename(&part, path)
}
