//! Puts a copy in the place of a site's file.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::Connection;
use usher_platform::files::{self, Readers};

use super::facts::{known, must_be_ours, of_file};
use super::sum::{PIECE_BYTES, Sum};
use super::{
    BESIDE, INCOMING, aside, begun_by_a_restore, beside, failed, must_be_sound, read_only,
};
use crate::copied::{
    CopyError, CopyFacts, CopyOutlook, CopyStep, CopyTold, SiteRestored, damaged, disk,
};
use crate::file::{self, Place};

/// Puts a copy, which is called `name`, in the place of the file of a site that no manager has open. It is
/// copied, checked and brought up to date beside that file first. `agree` is asked before the exchange.
pub(crate) fn restore(
    place: &Place,
    copy: File,
    name: &Path,
    agree: &mut dyn FnMut(&CopyOutlook) -> bool,
    told: CopyTold<'_>,
) -> Result<SiteRestored, CopyError> {
    let _lock = file::lock(place)?;
    let other = place.told_otherwise();
    let _other = other.as_ref().map(file::lock).transpose()?;
    let path = place.file();
    let incoming = beside(path, INCOMING);
    remove(path)?;
    let prepared = (|| {
        let sum = take(copy, name, &incoming, told)?;
        prepare(&incoming, (name, sum), path, (agree, told))
    })();
    leave_nothing_empty(path);
    let outlook = prepared.inspect_err(|_| {
        // What went wrong is what is told; a copy that stays is replaced the next time.
        let _ = remove(path);
    })?;
    if outlook.present.is_some() {
        write_its_log(path);
    }
    let (kept, kept_log) = aside::exchange(path, &incoming)?;
    Ok(SiteRestored {
        outlook,
        kept,
        kept_log,
    })
}

fn remove(path: &Path) -> Result<(), CopyError> {
    for left in begun_by_a_restore(path) {
        files::remove_if_there(&left).map_err(disk("remove", &left))?;
    }
    Ok(())
}

/// Has the file of before hold its log's records itself: who is killed during the exchange leaves it whole.
/// One that cannot is put aside with its log as they are.
fn write_its_log(path: &Path) {
    let log = beside(path, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0)
        && let Ok(connection) = Connection::open(path)
    {
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// Who has only read a file leaves an empty log and its index beside it; no manager has it open.
fn leave_nothing_empty(path: &Path) {
    let log = beside(path, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() == 0) {
        for ending in BESIDE {
            // SQLite makes use of what stays.
            let _ = fs::remove_file(beside(path, ending));
        }
    }
}

/// Copies it into a file that only its owner can read.
fn take(
    mut copy: File,
    name: &Path,
    incoming: &Path,
    told: CopyTold<'_>,
) -> Result<Sum, CopyError> {
    let mut sum = Sum::default();
    let all_bytes = copy.metadata().ok().map(|facts| facts.len());
    let mut to = files::create_new(incoming, Readers::Nobody).map_err(disk("write", incoming))?;
    let mut piece = vec![0_u8; PIECE_BYTES];
    let mut bytes = 0_u64;
    loop {
        let length = copy.read(&mut piece).map_err(disk("read", name))?;
        if length == 0 {
            break;
        }
        let read = piece.get_mut(..length).unwrap_or_default();
        sum.add(read);
        to.write_all(read).map_err(disk("write", incoming))?;
        bytes += length as u64;
        told(CopyStep {
            done: "copied",
            bytes,
            all_bytes,
        });
    }
    to.sync_all().map_err(disk("write", incoming))?;
    Ok(sum)
}

/// Checks the file that was copied, and brings it up to date if that is agreed to.
fn prepare(
    incoming: &Path,
    (name, sum): (&Path, Sum),
    path: &Path,
    (agree, told): (&mut dyn FnMut(&CopyOutlook) -> bool, CopyTold<'_>),
) -> Result<CopyOutlook, CopyError> {
    let mut connection = Connection::open(incoming).map_err(|error| of_file(&error, name))?;
    let copy = known(&connection, name)?;
    if copy.schema <= copy.known_schema && sum.differs() {
        return Err(damaged(
            name,
            "its checksum is wrong: something in it is not as it was written",
        ));
    }
    let bytes = fs::metadata(incoming).map_or(0, |file| file.len());
    must_be_sound(&mut connection, (name, bytes), told)?;
    must_be_ours(&connection, &copy, name)?;
    let outlook = CopyOutlook {
        present: present(path),
        copy,
    };
    if !agree(&outlook) {
        return Err(CopyError::NotAgreed);
    }
    file::prepare(&mut connection, &name.display().to_string())?;
    if outlook
        .present
        .as_ref()
        .is_some_and(|it| it.site_id == outlook.copy.site_id)
    {
        // What is there may be damaged: that is why another is put in its place.
        let given = numbers(path).unwrap_or_default();
        raise(&connection, &given).map_err(|error| failed("set the numbers of rows", &error))?;
    }
    // The file is moved without its log.
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let written = connection.query_row(sql, [], |_| Ok(()));
    written.map_err(|error| failed("write the file", &error))?;
    drop(connection);
    files::sync_file(incoming).map_err(disk("write", incoming))?;
    Ok(outlook)
}

fn present(path: &Path) -> Option<CopyFacts> {
    fs::metadata(path).ok().filter(|file| file.len() > 0)?;
    known(&read_only(path).ok()?, path).ok()
}

/// The last number that each table has given out: others know messages by them.
fn numbers(path: &Path) -> Option<Vec<(String, i64)>> {
    let connection = read_only(path).ok()?;
    let mut statement = connection
        .prepare("SELECT name, seq FROM sqlite_sequence")
        .ok()?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .ok()?;
    rows.collect::<rusqlite::Result<_>>().ok()
}

/// Has no table give out a number again that it gave out before.
fn raise(connection: &Connection, given: &[(String, i64)]) -> rusqlite::Result<()> {
    for (table, last) in given {
        let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
        if connection.execute(sql, (table, last))? == 0 {
            let sql = "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 \
                       WHERE EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
            connection.execute(sql, (table, last))?;
        }
    }
    Ok(())
}
