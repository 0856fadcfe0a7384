//! Of which times nothing is known any more because an import was taken out: later ones of its kind had left
//! out what it had already.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::imports::{FINISHED, REMOVED};

/// Notes the time of which an import tells that is about to be taken out, if it brought something and others
/// may rely on that.
pub(super) fn note(db: &Db, import: i64) -> Result<()> {
    let sql = "INSERT INTO import_removals \
               (source, kind, finish_order, until_number, from_ms, to_ms) \
               SELECT r.source, r.kind, r.finish_order, (SELECT max(number) FROM imports), \
               r.from_ms, coalesce(r.to_ms, r.from_ms) FROM imports r \
               WHERE r.number = $1 AND r.state = $2 AND r.from_ms IS NOT NULL \
               AND r.added + r.completed > 0";
    db.run(sql, &params![import, FINISHED]).map(drop)
}

/// Forgets those on which no import relies any more.
pub(super) fn forget(db: &Db) -> Result<()> {
    let sql = "DELETE FROM import_removals t WHERE NOT EXISTS (SELECT 1 FROM imports l \
               WHERE l.source = t.source AND l.kind = t.kind AND l.state <> $1 \
               AND l.number <= t.until_number \
               AND coalesce(l.finish_order, t.finish_order + 1) > t.finish_order)";
    db.run(sql, &params![REMOVED]).map(drop)
}
