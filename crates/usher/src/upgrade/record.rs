//! The record of upgrades of a data directory, kept in it as `upgrade.json`: a rehearsal need not
//! be repeated, and an exchanged program can be exchanged back.

use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const FILE: &str = "upgrade.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The version that ran before.
    pub(crate) from: String,
    /// The version that came.
    pub(crate) to: String,
    /// The SHA-256 of its program, in hexadecimal digits.
    pub(crate) sha256: String,
    /// When it was rehearsed without a fault.
    pub(crate) rehearsed_at: Timestamp,
    /// The program that was exchanged; `None` if it was only rehearsed.
    #[serde(default)]
    pub(crate) program: Option<PathBuf>,
    /// When it was exchanged.
    #[serde(default)]
    pub(crate) exchanged_at: Option<Timestamp>,
}

impl Record {
    /// The record of a data directory, if there is one that can be read.
    pub(crate) fn read(data: &Path) -> Option<Record> {
        let text = std::fs::read_to_string(data.join(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes the record, completely or not at all. The server, which runs under another account,
    /// can read it.
    pub(crate) fn keep(&self, data: &Path) -> io::Result<()> {
        let part = data.join(format!("{FILE}.part"));
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&part)?;
        out.set_permissions(PermissionsExt::from_mode(0o644))?;
        serde_json::to_writer_pretty(&mut out, self)?;
        out.sync_all()?;
        std::fs::rename(&part, data.join(FILE))
    }
}
