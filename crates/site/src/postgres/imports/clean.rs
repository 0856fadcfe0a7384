//! Removes the rows of imports that were removed, and of those that were never finished; ends live ones
//! into which nothing comes any more, and forgets those that brought nothing.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use super::{keyed, state};
use crate::columns::signed;
use crate::imports::{FINISHED, OPEN, REMOVED};

/// Imports without a new row, of a time of which a later one of the same source and kind tells: nothing that
/// is known is lost with them.
const BROUGHT_NOTHING: &str = "UPDATE imports SET state = $1 WHERE number IN (SELECT i.number \
    FROM imports i WHERE i.state = $2 AND i.finished_ms < $3 AND i.added = 0 AND i.completed = 0 \
    AND EXISTS (SELECT 1 FROM imports l WHERE l.source = i.source AND l.kind = i.kind \
    AND l.state = $2 AND l.finish_order > i.finish_order AND (i.from_ms IS NULL \
    OR l.from_ms <= i.from_ms \
    AND coalesce(l.to_ms, l.from_ms) >= coalesce(i.to_ms, i.from_ms))) LIMIT $4)";

/// Removes at most so many rows of one import that was removed, or that is not finished and took in
/// nothing since then; how many things were removed, 0: there is nothing left.
pub(in crate::postgres) fn clean(db: &Db, untouched_ms: i64, limit: u32) -> Result<u64> {
    db.run(
        "UPDATE imports SET state = $1 WHERE state = $2 AND touched_ms < $3",
        &params![REMOVED, OPEN, untouched_ms],
    )?;
    db.run(
        "UPDATE imports SET finished_ms = touched_ms \
         WHERE state = $1 AND finished_ms IS NULL AND touched_ms < $2",
        &params![FINISHED, untouched_ms],
    )?;
    db.run(
        BROUGHT_NOTHING,
        &params![REMOVED, FINISHED, untouched_ms, limit.max(1)],
    )?;
    let sql = "SELECT number FROM imports WHERE state = $1 ORDER BY number LIMIT 1";
    let import: Option<i64> = db.optional(sql, &params![REMOVED], |row| row.get(0))?;
    let Some(import) = import else {
        return Ok(0);
    };
    let limit = u64::from(limit.max(1));
    let mut removed: u64 = 0;
    let keyed = keyed::TABLES.map(|table| (table, "number"));
    let state = state::TABLES.map(|table| (table, "key"));
    for (table, column) in keyed.into_iter().chain(state) {
        let left = limit.saturating_sub(removed);
        if left == 0 {
            return Ok(removed);
        }
        let sql = format!(
            "DELETE FROM {table} WHERE import = $1 AND {column} IN \
             (SELECT {column} FROM {table} WHERE import = $1 LIMIT $2)"
        );
        let gone = db.run(&sql, &params![import, signed(left)])?;
        removed = removed.saturating_add(gone);
    }
    if removed >= limit {
        return Ok(removed);
    }
    db.run("DELETE FROM imports WHERE number = $1", &params![import])?;
    Ok(removed.saturating_add(1))
}
