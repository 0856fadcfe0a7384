//! Copies of a site database in a file: one is made while a manager has the file open, and put in the place
//! of the file when none has.

mod aside;
mod facts;
mod restore;
mod sum;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use crate::copied::{CopyError, CopyFacts, CopyStep, CopyTold, disk};
use crate::error::SiteError;

pub(crate) use restore::restore;

/// How long a lock of SQLite is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// How often it is looked how much is written.
const LOOK: Duration = Duration::from_millis(250);
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
        for begun in [to.to_owned(), beside(to, "-journal")] {
            // What went wrong is what is told.
            let _ = fs::remove_file(begun);
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
    let copy = read_only(to)?;
    facts::must_be_sound(&copy, to)?;
    let facts = facts::known(&copy, to)?;
    drop(copy);
    sum::write(to).map_err(disk("write", to))?;
    let bytes = fs::metadata(to).map_err(disk("read", to))?.len();
    Ok((facts, bytes))
}

/// Waits for SQLite on a thread of its own, and tells how long the file is meanwhile.
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
    let (done, is_done) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let copied = connection
                .execute("VACUUM INTO ?1", [FileName(to)])
                .map(drop);
            // Who waits for it is there.
            let _ = done.send(copied);
        });
        loop {
            match is_done.recv_timeout(LOOK) {
                Ok(copied) => return copied.map_err(doing),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(SiteError::failed("copy what is", &"its thread ended").into());
                }
                Err(RecvTimeoutError::Timeout) => told(CopyStep {
                    done: "written",
                    bytes: fs::metadata(to).map_or(0, |file| file.len()),
                    all_bytes: Some(all_bytes),
                }),
            }
        }
    })
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

/// What a restore of the site in that file has begun, if it is cut off. The next one replaces it.
#[must_use]
pub fn begun_by_a_restore(site: &Path) -> Vec<PathBuf> {
    let incoming = beside(site, INCOMING);
    let logs = BESIDE.map(|ending| beside(&incoming, ending));
    [incoming].into_iter().chain(logs).collect()
}

/// A path beside another: its name with a suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A path as SQLite takes one, byte for byte: the name of a folder need not be UTF-8.
struct FileName<'a>(&'a Path);

impl ToSql for FileName<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = self.0.as_os_str().as_encoded_bytes();
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
    }
}
