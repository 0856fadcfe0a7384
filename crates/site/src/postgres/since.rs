//! From which instant on the rows of each kind are there.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::retained::{Retained, RetainedSince};

/// That of all kinds.
pub(super) fn since(db: &Db) -> Result<RetainedSince> {
    let mut since = RetainedSince::default();
    db.each("SELECT what, since_ms FROM retained", &[], |row| {
        since.know(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    Ok(since)
}

/// Notes that of a kind; it never goes back. What it is now.
pub(super) fn raise(db: &Db, what: Retained, since_ms: i64) -> Result<i64> {
    db.one(
        "INSERT INTO retained (what, since_ms) VALUES ($1, $2) ON CONFLICT (what) DO UPDATE \
         SET since_ms = greatest(retained.since_ms, excluded.since_ms) RETURNING since_ms",
        &params![what.number(), since_ms],
        |row| row.get(0),
    )
}
