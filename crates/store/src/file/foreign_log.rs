//! Finds a write-ahead log beside a data file that belongs to another one: a backup was copied over
//! the data file by hand, and the log of the former file stayed. SQLite would apply that log to the
//! backup.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::base::error::StoreError;
use crate::base::whole::{beside, check};

/// Where SQLite's header says how the file is written, and what it says of one with a write-ahead
/// log. A copy by `VACUUM INTO` says otherwise until it is opened by a server, which makes it so
/// before it begins a log.
const WRITE_VERSION_AT: usize = 18;
const WITH_LOG: u8 = 2;

/// Refuses a file with a log beside it if the file has never had a log.
pub(crate) fn refuse(path: &Path) -> Result<(), StoreError> {
    let mut header = [0; WRITE_VERSION_AT + 1];
    // What cannot be read is told by who opens it.
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let is_copy = is_read.is_ok() && header[WRITE_VERSION_AT] != WITH_LOG;
    match is_copy && has_log(path) {
        true => Err(told(path)),
        false => Ok(()),
    }
}

/// The error to report instead of `error` for a data file with a log beside it: if the file is
/// complete by itself, the log is at fault.
pub(crate) fn explain(path: &Path, error: StoreError) -> StoreError {
    let is_damage = match &error {
        StoreError::Damaged { .. } => true,
        StoreError::Database { source, .. } => matches!(
            source.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
        _ => false,
    };
    match is_damage && has_log(path) && is_whole_alone(path) {
        true => told(path),
        false => error,
    }
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Checks the file without its log, and changes neither.
fn is_whole_alone(path: &Path) -> bool {
    let mut escaped = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                escaped.push((*byte).into());
            }
            _ => escaped.push_str(&format!("%{byte:02x}")),
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
        .is_ok_and(|connection| check(&connection, path).is_ok())
}

fn told(path: &Path) -> StoreError {
    StoreError::ForeignLog {
        path: path.into(),
        is_whole: is_whole_alone(path),
    }
}
