//! Which messages on PostgreSQL are open, and closing them.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::open::OPEN;

/// Closes the open messages of a server; answers their numbers in the catalogue.
pub(super) fn close_all_of(db: &Db, server: &str, at_ms: i64) -> Result<Vec<u16>> {
    let sql = format!(
        "UPDATE messages SET recovered_ms = greatest(first_ms, $2) WHERE server = $1 AND {OPEN} \
         RETURNING id"
    );
    let mut numbers = db.all(&sql, &params![server, at_ms], |row| row.get(0))?;
    db.run("DELETE FROM concerns WHERE server = $1", &params![server])?;
    db.run(
        "UPDATE episodes SET ended_ms = last_ms WHERE server = $1 AND ended_ms IS NULL",
        &params![server],
    )?;
    numbers.sort_unstable();
    Ok(numbers)
}
