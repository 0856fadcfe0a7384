//! Episodes of trouble in the embedded engine.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::columns::{signed, unsigned};
use crate::rows::EpisodeRow;

/// The last episode of a server, over or not.
pub(crate) fn last(connection: &Connection, server: &str) -> Result<Option<EpisodeRow>> {
    connection
        .query_row(
            "SELECT server, number, verdict, record_id, message_id, count, first_ms, last_ms, \
             ended_ms FROM episodes WHERE server = ?1 ORDER BY number DESC LIMIT 1",
            [server],
            |row| {
                Ok(EpisodeRow {
                    server: row.get(0)?,
                    number: unsigned(row.get(1)?),
                    verdict: row.get(2)?,
                    record_id: row.get(3)?,
                    message_id: row.get(4)?,
                    count: unsigned(row.get(5)?),
                    first_ms: row.get(6)?,
                    last_ms: row.get(7)?,
                    ended_ms: row.get(8)?,
                })
            },
        )
        .optional()
}

/// Writes an episode. Server and number are its key.
pub(crate) fn put(connection: &Connection, it: &EpisodeRow) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO episodes (server, number, verdict, record_id, message_id, \
             count, first_ms, last_ms, ended_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                it.server,
                signed(it.number),
                it.verdict,
                it.record_id,
                it.message_id,
                signed(it.count),
                it.first_ms,
                it.last_ms,
                it.ended_ms
            ],
        )
        .map(drop)
}
