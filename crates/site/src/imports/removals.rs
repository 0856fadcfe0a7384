//! Of which times nothing is known any more because an import was taken out: later ones of its kind had left
//! out what it had already.

use rusqlite::{Connection, Result, params};

use super::{FINISHED, REMOVED};

/// Notes the time of which an import tells that is about to be taken out, if it brought something and others
/// may rely on that.
pub(super) fn note(connection: &Connection, import: i64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO import_removals \
             (source, kind, finish_order, until_number, from_ms, to_ms) \
             SELECT r.source, r.kind, r.finish_order, (SELECT max(number) FROM imports), \
             r.from_ms, coalesce(r.to_ms, r.from_ms) FROM imports r \
             WHERE r.number = ?1 AND r.state = ?2 AND r.from_ms IS NOT NULL \
             AND r.added + r.completed > 0",
        )?
        .execute(params![import, FINISHED])
        .map(drop)
}

/// Forgets those on which no import relies any more.
pub(super) fn forget(connection: &Connection) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM import_removals WHERE NOT EXISTS (SELECT 1 FROM imports l \
             WHERE l.source = import_removals.source AND l.kind = import_removals.kind \
             AND l.state <> ?1 AND l.number <= import_removals.until_number \
             AND coalesce(l.finish_order, import_removals.finish_order + 1) \
             > import_removals.finish_order)",
        )?
        .execute([REMOVED])
        .map(drop)
}
