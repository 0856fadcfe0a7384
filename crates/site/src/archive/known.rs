//! The files that the embedded engine knows.

use rusqlite::{Connection, Error, Result, Row};

use super::part::{PART_COLUMNS, Part};
use super::table::Moving;

/// The files that have rows of a time.
pub(crate) fn parts(connection: &Connection, (from_ms, to_ms): (i64, i64)) -> Result<Vec<Part>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {PART_COLUMNS} FROM archive_parts WHERE first_ms < ?2 AND last_ms >= ?1 \
         ORDER BY number"
    ))?;
    let found = statement.query_map([from_ms, to_ms], part)?;
    found.collect()
}

fn part(row: &Row<'_>) -> Result<Part> {
    let what: i64 = row.get(1)?;
    Ok(Part {
        number: row.get(0)?,
        what: Moving::of(what).ok_or(Error::IntegralValueOutOfRange(1, what))?,
        file: row.get(2)?,
        sha256: row.get(3)?,
        bytes: row.get(4)?,
        rows: row.get(5)?,
        first_ms: row.get(6)?,
        last_ms: row.get(7)?,
    })
}
