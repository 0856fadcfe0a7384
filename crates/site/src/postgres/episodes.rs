//! Episodes of trouble on PostgreSQL.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::columns::{signed, unsigned};
use crate::rows::EpisodeRow;

/// The last episode of a server, over or not.
pub(super) fn last(db: &Db, server: &str) -> Result<Option<EpisodeRow>> {
    let sql = "SELECT server, number, verdict, record_id, message_id, count, first_ms, last_ms, \
               ended_ms FROM episodes WHERE server = $1 ORDER BY number DESC LIMIT 1";
    db.optional(sql, &params![server], |row| {
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
    })
}

/// Writes an episode. Server and number are its key.
pub(super) fn put(db: &Db, it: &EpisodeRow) -> Result<()> {
    db.run(
        "INSERT INTO episodes (server, number, verdict, record_id, message_id, count, first_ms, \
         last_ms, ended_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (server, number) DO UPDATE SET verdict = excluded.verdict, \
         record_id = excluded.record_id, message_id = excluded.message_id, \
         count = excluded.count, first_ms = excluded.first_ms, last_ms = excluded.last_ms, \
         ended_ms = excluded.ended_ms",
        &params![
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
