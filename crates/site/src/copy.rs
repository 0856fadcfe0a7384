//! Backups and restores of a site, wherever it is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::copied::{CopyError, CopyFacts, CopyOutlook, CopyTold, SiteRestored, disk, not_a_copy};
use crate::file::Place;
use crate::postgres::{PostgresAddress, copies as on_postgres};
use crate::{copies, framed};

/// Where a site database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SitePlace {
    /// The file `site.db` in that data directory of a manager.
    Folder(PathBuf),
    /// That SQLite file; its lock is beside it.
    File(PathBuf),
    /// A PostgreSQL.
    Postgres(Box<PostgresAddress>),
}

/// The same, as each engine knows it.
enum On<'a> {
    File(Place),
    Postgres(&'a PostgresAddress),
}

impl SitePlace {
    fn on(&self) -> On<'_> {
        match self {
            SitePlace::Folder(folder) => On::File(Place::in_folder(folder)),
            SitePlace::File(file) => On::File(Place::at(file)),
            SitePlace::Postgres(address) => On::Postgres(address),
        }
    }
}

/// Copies a site, as it is at one instant, to a file, which is open, empty and at this path; managers may go
/// on meanwhile. What is known of the copy, and its length in bytes; it is whole and on disk then. If it
/// fails, the file is removed. Waits for disk and network, on this thread.
///
/// # Errors
/// The site cannot be read, the file not be written, or the tables are not this version's (on PostgreSQL).
pub fn back_up(
    place: &SitePlace,
    to: (&File, &Path),
    told: CopyTold<'_>,
) -> Result<(CopyFacts, u64), CopyError> {
    match place.on() {
        On::File(place) => copies::back_up(place.file(), to.1, told),
        On::Postgres(address) => on_postgres::back_up(address, to, told),
    }
}

/// Puts a copy, which is called `name`, in the place of a site that no manager uses. All of it is checked
/// first; then `agree` is asked, and if that says no nothing is changed. A file of before is kept beside the
/// new one; what was in a PostgreSQL before is gone. Waits for disk and network, on this thread.
///
/// # Errors
/// A manager has the site, the copy is damaged or of the other engine, its tables or those that are there
/// are a newer version's, or [`CopyError::NotAgreed`].
pub fn restore(
    place: &SitePlace,
    mut copy: File,
    name: &Path,
    agree: &mut dyn FnMut(&CopyOutlook) -> bool,
    told: CopyTold<'_>,
) -> Result<SiteRestored, CopyError> {
    let mut begins = Vec::new();
    let read = copy.by_ref().take(16).read_to_end(&mut begins);
    read.and_then(|_| copy.seek(SeekFrom::Start(0)))
        .map_err(disk("read", name))?;
    let is_file = begins == copies::SQLITE;
    let is_of_postgres = begins == framed::MAGIC;
    match place.on() {
        _ if !is_file && !is_of_postgres => Err(not_a_copy(
            name,
            "it is neither a SQLite file nor one that `usher backup --site` has written",
        )),
        On::File(place) if is_file => copies::restore(&place, copy, name, agree, told),
        On::File(_) => Err(not_a_copy(
            name,
            "it is a copy of a site on PostgreSQL, and this site is in a SQLite file: name the \
             database by --database",
        )),
        On::Postgres(address) if is_of_postgres => {
            on_postgres::restore(address, copy, name, agree, told)
        }
        On::Postgres(_) => Err(not_a_copy(
            name,
            "it is a copy of a site in a SQLite file, and this site is on PostgreSQL",
        )),
    }
}
