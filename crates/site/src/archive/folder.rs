//! The folder of the archive, and writing to it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use usher_parquet::{ParquetError, Writer};
use usher_platform::files::{self, Readers};

use super::moved::Overdues;
use super::part::Part;
use super::patience::{FileThread, PATIENCE};
use super::sound::Sound;
use super::table::Table;
use super::written::Written;
use crate::error::SiteError;

/// Rows of a group: so many are in memory when a file is read.
const GROUP: usize = 4_096;
/// Months of rows of one kind that are written at once; later ones have their turn afterwards. A clock that
/// was wrong may have made a month for each row.
const MONTHS: usize = 12;
/// What a file is called until it is whole.
const DRAFT: &str = ".draft";

/// The folder of the archive. The files of each site are in a folder of their own in it.
#[derive(Debug)]
pub struct Archive {
    root: PathBuf,
    /// What is known of files that were found to be sound, by their numbers.
    pub(super) sound: Arc<Mutex<HashMap<i64, Sound>>>,
    /// What reads files; none: the system has no thread for it.
    pub(super) reads: Option<FileThread>,
}

impl Archive {
    /// One in that folder, which need not be there yet.
    pub fn in_folder(root: PathBuf) -> Archive {
        Archive {
            root,
            sound: Arc::default(),
            reads: FileThread::start(PATIENCE).ok(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Where a file of the archive is.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Writes rows to files by kind and the month (UTC) in which they ended, for the owner alone, and
    /// waits until they are on disk. Not all rows may be written: those of later months are left.
    /// `site` is the site's id.
    ///
    /// # Errors
    /// [`SiteError::Failed`]: what failed of which file. Files that were written by then are named by no
    /// part, and written again.
    pub fn write(&self, site: &str, rows: &Overdues) -> Result<Written, SiteError> {
        let mut written = Written::default();
        let mut next = rows.next;
        for table in [&rows.sessions, &rows.leases] {
            for (month, of_month) in by_month(table).into_iter().take(MONTHS) {
                let part = self.write_part((site, &month), next, table, &of_month)?;
                written.parts.push(part);
                written.add(table, &of_month);
                next = next.saturating_add(1);
            }
        }
        Ok(written)
    }

    fn write_part(
        &self,
        (site, month): (&str, &str),
        number: i64,
        table: &Table,
        rows: &[usize],
    ) -> Result<Part, SiteError> {
        let word = table.what.word();
        let bytes = encoded((site, month), table, rows)
            .map_err(|error| SiteError::failed("encode a file of the archive", &error))?;
        let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
        // What is in it is in its name, so that no file of another life of the database is replaced.
        let begin = sha256.get(..8).unwrap_or(&sha256);
        let file = format!("{site}/{word}-{month}-{number:06}-{begin}.parquet");
        let path = self.path(&file);
        let draft = files::beside(&path, DRAFT);
        let put = || {
            files::make_folders(&self.root.join(site), Readers::Nobody)?;
            files::put(&path, &draft, Readers::Nobody, &bytes)
        };
        put().map_err(|error| {
            let why = format!("{}: {error}", path.display());
            SiteError::failed("write a file of the archive", &why)
        })?;
        let began = rows.iter().filter_map(|row| table.whole("began", *row));
        let ended = rows.iter().filter_map(|row| ended_ms(table, *row));
        Ok(Part {
            number,
            what: table.what,
            file,
            sha256,
            bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            rows: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            first_ms: began.min().unwrap_or(i64::MIN),
            last_ms: ended.max().unwrap_or(i64::MAX),
        })
    }
}

/// The rows of each month in which some ended, by product and beginning.
fn by_month(table: &Table) -> BTreeMap<String, Vec<usize>> {
    let mut months: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..table.len() {
        let month = month_of(ended_ms(table, row).unwrap_or(0));
        months.entry(month).or_default().push(row);
    }
    for rows in months.values_mut() {
        rows.sort_by_key(|row| {
            let whole = |name| table.whole(name, *row);
            let key = table.what.key().iter().map(|name| whole(name));
            (
                whole("product_number"),
                whole("began"),
                key.collect::<Vec<_>>(),
            )
        });
    }
    months
}

/// By a clock that was set one may have ended before it began.
fn ended_ms(table: &Table, row: usize) -> Option<i64> {
    let whole = |name| table.whole(name, row);
    whole("ended").max(whole("began"))
}

/// Such as `2026-01`.
fn month_of(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(match ms < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    });
    let at = TimeZone::UTC.to_datetime(at);
    format!("{:04}-{:02}", at.year(), at.month())
}

fn encoded(
    (site, month): (&str, &str),
    table: &Table,
    rows: &[usize],
) -> Result<Vec<u8>, ParquetError> {
    let mut out = Writer::new(Vec::new(), table.what.of_file())?;
    for group in rows.chunks(GROUP) {
        out.group(&table.rows(group))?;
    }
    out.end(&[
        ("usher.rows", table.what.word().to_owned()),
        ("usher.site", site.to_owned()),
        ("usher.month", month.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_names_that_sort_whatever_the_clock_said() {
        assert_eq!(month_of(0), "1970-01");
        assert_eq!(month_of(1_796_083_200_000), "2026-12");
        assert_eq!(month_of(-1), "1969-12");
        assert_eq!(month_of(i64::MAX), "9999-12");
        assert!(month_of(i64::MIN).ends_with("-01"));
    }
}
