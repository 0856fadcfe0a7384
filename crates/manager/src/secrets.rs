//! The admin's token: made at the first start, a hash of it in memory.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

const FILE: &str = "admin.token";

/// The hash of the token in `admin.token`, which is made where there is none.
pub(crate) fn admin(data: &Path) -> io::Result<[u8; 32]> {
    let path = data.join(FILE);
    let held = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let held = held.trim();
    if !held.is_empty() {
        return Ok(hash(held));
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("usher_{hex}");
    write(&path, &token)?;
    Ok(hash(&token))
}

/// The hash by which a token is known: tokens are long and random, so a fast one does.
pub(crate) fn hash(token: &str) -> [u8; 32] {
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
