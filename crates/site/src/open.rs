//! Which messages in the embedded engine are open: their trouble is not over.

use rusqlite::{Connection, Result};
use usher_core::concerns::Kind;

/// SQL: whether the message of a row is open. Everything that lists, counts or keeps open messages
/// uses this.
pub(crate) const OPEN: &str = "(recovered_ms IS NULL AND (record_id IN (SELECT record_id \
    FROM concerns WHERE record_id IS NOT NULL) OR record_id IN (SELECT record_id FROM episodes \
    WHERE ended_ms IS NULL AND record_id IS NOT NULL)))";

/// Closes the open messages of a server; answers their numbers in the catalogue.
pub(crate) fn close_all_of(connection: &Connection, server: &str, at_ms: i64) -> Result<Vec<u16>> {
    let sql = format!(
        "UPDATE messages SET recovered_ms = max(first_ms, ?2) WHERE server = ?1 AND {OPEN} \
         RETURNING id"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(rusqlite::params![server, at_ms], |row| row.get(0))?;
    let mut numbers = rows.collect::<Result<Vec<u16>>>()?;
    connection.execute("DELETE FROM concerns WHERE server = ?1", [server])?;
    connection.execute(
        "UPDATE episodes SET ended_ms = last_ms WHERE server = ?1 AND ended_ms IS NULL",
        [server],
    )?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Closes messages that earlier versions left open: those of servers that were removed.
pub(crate) fn close_left(connection: &Connection) -> Result<()> {
    connection.execute(
        "UPDATE messages SET recovered_ms = (SELECT max(ended_ms) FROM episodes \
         WHERE episodes.record_id = messages.record_id) WHERE recovered_ms IS NULL \
         AND record_id IN (SELECT record_id FROM episodes WHERE ended_ms IS NOT NULL \
         AND record_id IS NOT NULL)",
        [],
    )?;
    let kinds = Kind::ALL.map(|kind| kind.message_id().to_string());
    let sql = format!(
        "UPDATE messages SET recovered_ms = last_ms WHERE recovered_ms IS NULL AND id IN ({}) \
         AND record_id NOT IN (SELECT record_id FROM concerns WHERE record_id IS NOT NULL)",
        kinds.join(", ")
    );
    connection.execute(&sql, []).map(drop)
}
