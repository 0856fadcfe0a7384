//! The files of the archive.

use super::db::Db;
use super::failure::{Error, Result};
use super::values::{Row, params};
use crate::archive::{Moving, PART_COLUMNS, Part};

/// The files that have rows of a time.
pub(super) fn parts(db: &Db, (from_ms, to_ms): (i64, i64)) -> Result<Vec<Part>> {
    let sql = format!(
        "SELECT {PART_COLUMNS} FROM archive_parts WHERE first_ms < $2 AND last_ms >= $1 \
         ORDER BY number"
    );
    db.all(&sql, &params![from_ms, to_ms], part)
}

fn part(row: &Row) -> Result<Part> {
    Ok(Part {
        number: row.get(0)?,
        what: Moving::of(row.get(1)?).ok_or(Error::Range(1))?,
        file: row.get(2)?,
        sha256: row.get(3)?,
        bytes: row.get(4)?,
        rows: row.get(5)?,
        first_ms: row.get(6)?,
        last_ms: row.get(7)?,
    })
}
