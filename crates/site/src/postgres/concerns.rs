//! Open concerns on PostgreSQL.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::columns::{signed, unsigned};
use crate::rows::ConcernRow;

pub(super) fn list(db: &Db, server: &str) -> Result<Vec<ConcernRow>> {
    let sql = "SELECT server, message_id, about, record_id, count FROM concerns \
               WHERE server = $1 ORDER BY message_id, about";
    db.all(sql, &params![server], |row| {
        Ok(ConcernRow {
            server: row.get(0)?,
            message_id: row.get(1)?,
            about: row.get(2)?,
            record_id: row.get(3)?,
            count: unsigned(row.get(4)?),
        })
    })
}

/// Writes a concern. Server, message number and `about` are its key.
pub(super) fn put(db: &Db, concern: &ConcernRow) -> Result<()> {
    db.run(
        "INSERT INTO concerns (server, message_id, about, record_id, count) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (server, message_id, about) \
         DO UPDATE SET record_id = excluded.record_id, count = excluded.count",
        &params![
            concern.server,
            concern.message_id,
            concern.about,
            concern.record_id,
            signed(concern.count)
        ],
    )
    .map(drop)
}

pub(super) fn remove(db: &Db, concern: &ConcernRow) -> Result<()> {
    db.run(
        "DELETE FROM concerns WHERE server = $1 AND message_id = $2 AND about = $3",
        &params![concern.server, concern.message_id, concern.about],
    )
    .map(drop)
}
