//! What a data file says about itself: its schema, and numbers and texts by name.

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::columns::from_i64;

/// The schema version of a file; 0 if it has no tables.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let found = number(connection, "schema_version")?.unwrap_or(0);
    Ok(u32::try_from(found).unwrap_or(u32::MAX))
}

/// Reads a number in the table `meta`.
pub(crate) fn number(connection: &Connection, key: &str) -> rusqlite::Result<Option<u64>> {
    if !has_table(connection, "meta")? {
        return Ok(None);
    }
    let value: Option<i64> = connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(value.map(from_i64))
}

pub(crate) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        )?
        .query_row([name], |row| row.get(0))
}

/// Reads a text in the table `meta`.
pub(crate) fn text(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// Writes a number to the table `meta`.
pub(crate) fn put(connection: &Connection, key: &str, value: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute(params![key, value.cast_signed()])
        .map(drop)
}

/// Writes a text to the table `meta`.
pub(crate) fn put_text(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute(params![key, value])
        .map(drop)
}
