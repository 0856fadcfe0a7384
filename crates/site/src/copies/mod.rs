//! Copies of a site database in a file: one is made while a manager has the file open, and put in the place
//! of the file when none has.

mod aside;
mod facts;
mod restore;
mod sum;
mod waiting;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use usher_platform::files::beside;
use usher_tables::FileName;

use crate::copied::{CopyError, CopyFacts, CopyStep, CopyTold, disk};
use crate::error::SiteError;

pub(crate) use restore::restore;
use waiting::while_told;

/// How long a lock of SQLite is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// What the name of a file ends with that SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// What the name of a copy ends with until it is in its place.
const INCOMING: &str = ".incoming";

/// The beginning of each SQLite file.
pub(crate) const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// Copies the site database in that file, as it is at one instant, to the empty file `to`; a manager may
/// have it open. The copy is checked and on disk when this returns. If it fails, `to` is removed.
pub(crate) fn back_up(
    site: &Path,
    to: &Path,
    told: CopyTold<'_>,
) -> Result<(CopyFacts, u64), CopyError> {
    write(site, to, told).inspect_err(|_| {
        for left in [to.to_owned(), beside(to, "-journal")] {
            // The first error is the one to report.
            let _ = fs::remove_file(left);
        }
    })
}

fn write(site: &Path, to: &Path, told: CopyTold<'_>) -> Result<(CopyFacts, u64), CopyError> {
    let all_bytes = match fs::metadata(site) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(CopyError::Absent(site.to_owned()));
        }
        Err(error) => return Err(disk("read", site)(error)),
    };
    // SQLite would not say why it cannot.
    fs::File::open(site).map_err(disk("read", site))?;
    let connection = read_only(site)?;
    facts::must_be_a_site(&connection, site)?;
    vacuum_into(connection, to, all_bytes, told)?;
    let mut copy = read_only(to)?;
    let bytes = fs::metadata(to).map_err(disk("read", to))?.len();
    must_be_sound(&mut copy, (to, bytes), told)?;
    let facts = facts::known(&copy, to)?;
    drop(copy);
    let summed = while_told(told, || checked(bytes), || sum::write(to))?;
    summed.map_err(disk("write", to))?;
    Ok((facts, bytes))
}

/// Has SQLite look at each page and each index of a file of so many bytes.
fn must_be_sound(
    connection: &mut Connection,
    (file, bytes): (&Path, u64),
    told: CopyTold<'_>,
) -> Result<(), CopyError> {
    let check = move || facts::must_be_sound(connection, file);
    while_told(told, || checked(bytes), check)?
}

fn checked(bytes: u64) -> CopyStep {
    CopyStep {
        done: "being checked",
        bytes,
        all_bytes: None,
    }
}

/// Tells how long the file is meanwhile.
fn vacuum_into(
    connection: Connection,
    to: &Path,
    all_bytes: u64,
    told: CopyTold<'_>,
) -> Result<(), CopyError> {
    let doing = |error: rusqlite::Error| match error.sqlite_error_code() {
        // SQLite does not say where.
        Some(ErrorCode::DiskFull) => disk("write", to)(ErrorKind::StorageFull.into()),
        _ => failed("copy what is", &error),
    };
    let how_far = || CopyStep {
        done: "written",
        bytes: fs::metadata(to).map_or(0, |file| file.len()),
        all_bytes: Some(all_bytes),
    };
    let copied = while_told(told, how_far, move || {
        connection.execute("VACUUM INTO ?1", [FileName(to)])
    })?;
    copied.map(drop).map_err(doing)
}

fn read_only(path: &Path) -> Result<Connection, CopyError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    });
    opened.map_err(|error| failed("open the file", &error))
}

fn failed(doing: &'static str, error: &rusqlite::Error) -> CopyError {
    SiteError::failed(doing, error).into()
}

/// The files that an interrupted restore of the site in that file may leave. The next restore replaces them.
#[must_use]
pub fn begun_by_a_restore(site: &Path) -> Vec<PathBuf> {
    let incoming = beside(site, INCOMING);
    let logs = BESIDE.map(|ending| beside(&incoming, ending));
    [incoming].into_iter().chain(logs).collect()
}
