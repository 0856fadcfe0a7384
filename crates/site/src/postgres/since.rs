//! From which instant on the rows of each kind are there.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::retained::{Retained, RetainedSince};

/// That of all kinds.
pub(super) fn since(db: &Db) -> Result<RetainedSince> {
    let mut since = RetainedSince::default();
    db.each(
        "SELECT what, since_ms, archived_ms FROM retained",
        &[],
        |row| {
            since.know(row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(())
        },
    )?;
    Ok(since)
}

/// From now on what is removed of a kind goes to the archive: all since the instant up to which it was
/// removed until now.
pub(super) fn archives(db: &Db, what: Retained, since_ms: i64) -> Result<i64> {
    db.one(
        "INSERT INTO retained (what, since_ms, archived_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (what) DO UPDATE \
         SET archived_ms = coalesce(retained.archived_ms, retained.since_ms), \
         since_ms = greatest(retained.since_ms, excluded.since_ms) RETURNING since_ms",
        &params![what.number(), since_ms, i64::MIN],
        |row| row.get(0),
    )
}

/// Rows of a kind were removed that are not in the archive.
pub(super) fn leaves_out(db: &Db, what: Retained) -> Result<()> {
    let sql = "UPDATE retained SET archived_ms = NULL WHERE what = $1";
    db.run(sql, &params![what.number()]).map(drop)
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
