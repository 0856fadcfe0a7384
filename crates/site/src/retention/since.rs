//! From which instant on the rows of each kind are there.

use rusqlite::{Connection, Result, params};

use crate::retained::{Retained, RetainedSince};

/// That of all kinds.
pub(crate) fn since(connection: &Connection) -> Result<RetainedSince> {
    let mut statement =
        connection.prepare_cached("SELECT what, since_ms, archived_ms FROM retained")?;
    let mut rows = statement.query([])?;
    let mut since = RetainedSince::default();
    while let Some(row) = rows.next()? {
        since.know(row.get(0)?, row.get(1)?, row.get(2)?);
    }
    Ok(since)
}

/// From now on what is removed of a kind goes to the archive: all since the instant up to which it was
/// removed until now.
pub(super) fn archives(connection: &Connection, what: Retained, since_ms: i64) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO retained (what, since_ms, archived_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (what) DO UPDATE SET archived_ms = coalesce(archived_ms, since_ms), \
             since_ms = max(since_ms, ?2) RETURNING since_ms",
        )?
        .query_row(params![what.number(), since_ms, i64::MIN], |row| row.get(0))
}

/// Rows of a kind were removed that are not in the archive.
pub(super) fn leaves_out(connection: &Connection, what: Retained) -> Result<()> {
    connection
        .prepare_cached("UPDATE retained SET archived_ms = NULL WHERE what = ?1")?
        .execute([what.number()])
        .map(drop)
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
