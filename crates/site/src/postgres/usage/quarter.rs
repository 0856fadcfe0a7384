//! Reading a quarter of an hour that is kept.

use super::super::failure::Result;
use super::super::values::Row;
use crate::usage::{Mark, begin_of, unpack};

/// When a quarter begins, in Unix milliseconds, and its marks: the columns are its number and its edges.
pub(super) fn read(row: &Row) -> Result<(i64, Vec<Mark>)> {
    let from_ms = begin_of(row.get(0)?);
    let marks = unpack(from_ms, &row.get::<Vec<u8>>(1)?)?;
    Ok((from_ms, marks))
}
