//! Open concerns in the embedded engine.

use rusqlite::{Connection, Result, params};

use crate::columns::{signed, unsigned};
use crate::rows::ConcernRow;

pub(crate) fn list(connection: &Connection, server: &str) -> Result<Vec<ConcernRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT server, message_id, about, record_id, count FROM concerns \
         WHERE server = ?1 ORDER BY message_id, about",
    )?;
    let rows = statement.query_map([server], |row| {
        Ok(ConcernRow {
            server: row.get(0)?,
            message_id: row.get(1)?,
            about: row.get(2)?,
            record_id: row.get(3)?,
            count: unsigned(row.get(4)?),
        })
    })?;
    rows.collect()
}

/// Writes a concern. Server, message number and `about` are its key.
pub(crate) fn put(connection: &Connection, concern: &ConcernRow) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO concerns (server, message_id, about, record_id, count) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                concern.server,
                concern.message_id,
                concern.about,
                concern.record_id,
                signed(concern.count)
            ],
        )
        .map(drop)
}

pub(crate) fn remove(connection: &Connection, concern: &ConcernRow) -> Result<()> {
    connection
        .execute(
            "DELETE FROM concerns WHERE server = ?1 AND message_id = ?2 AND about = ?3",
            params![concern.server, concern.message_id, concern.about],
        )
        .map(drop)
}
