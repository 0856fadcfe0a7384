//! Quarters of an hour by their numbers, and reading one that is kept.

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use usher_core::usage::QUARTER_MS;

use super::mark::Mark;
use super::packed::{Unreadable, unpack};

/// Quarters of an hour in an hour.
pub(crate) const QUARTERS_OF_HOUR: i64 = 4;
/// Quarters of an hour in a day.
pub(crate) const QUARTERS_OF_DAY: i64 = 24 * QUARTERS_OF_HOUR;
/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = QUARTERS_OF_DAY * QUARTER_MS;

/// The place of the marks in a row that [`read`] takes: behind the number of the quarter.
const EDGES: usize = 1;

/// The number of the quarter of an instant.
pub(crate) fn number_of(ms: i64) -> i64 {
    ms.div_euclid(QUARTER_MS)
}

/// The number of the day (UTC) of an instant: days since 1970.
pub(crate) fn day_of(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS)
}

/// When the quarter of that number begins, in Unix milliseconds.
pub(crate) fn begin_of(quarter: i64) -> i64 {
    quarter.saturating_mul(QUARTER_MS)
}

/// When a quarter begins, in Unix milliseconds, and its marks.
pub(super) fn read(row: &Row<'_>) -> Result<(i64, Vec<Mark>)> {
    let from_ms = begin_of(row.get(0)?);
    let packed = row.get_ref(EDGES)?.as_blob()?;
    let marks = unpack(from_ms, packed).map_err(unreadable)?;
    Ok((from_ms, marks))
}

/// As a failure of the database.
pub(super) fn unreadable(why: Unreadable) -> Error {
    Error::FromSqlConversionFailure(EDGES, Type::Blob, Box::new(why))
}
