//! From which instant on the rows of each kind are there.

use rusqlite::{Connection, Result, params};

use crate::retained::{Retained, RetainedSince};

/// That of all kinds.
pub(crate) fn since(connection: &Connection) -> Result<RetainedSince> {
    let mut statement = connection.prepare_cached("SELECT what, since_ms FROM retained")?;
    let mut rows = statement.query([])?;
    let mut since = RetainedSince::default();
    while let Some(row) = rows.next()? {
        since.know(row.get(0)?, row.get(1)?);
    }
    Ok(since)
}

/// Notes that of a kind; it never goes back. What it is now.
pub(super) fn raise(connection: &Connection, what: Retained, since_ms: i64) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO retained (what, since_ms) VALUES (?1, ?2) \
             ON CONFLICT (what) DO UPDATE SET since_ms = max(since_ms, ?2) RETURNING since_ms",
        )?
        .query_row(params![what.number(), since_ms], |row| row.get(0))
}
