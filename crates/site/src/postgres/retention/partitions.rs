//! The sessions whose time is over, partition by partition: one that nothing is left in goes as a whole.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::history::days;
use super::super::values::params;
use crate::columns::signed;

/// The partition of what has none by its day; it stays.
const LATE: &str = "history_sessions_late";

/// Removes at most so many sessions, and partitions that are empty; how many of both.
pub(super) fn remove(db: &Db, before_ms: i64, limit: u64) -> Result<u64> {
    let mut removed = 0;
    let overdue = days::before(db, before_ms)?;
    for partition in overdue.iter().map(String::as_str).chain([LATE]) {
        let left = limit.saturating_sub(removed);
        if left == 0 {
            return Ok(removed);
        }
        let gone = sessions(db, partition, before_ms, left)?;
        removed += gone;
        // Who reads sessions for long has it stay for another time.
        if gone < left && partition != LATE && days::drop_if_empty(db, partition, before_ms)? {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes the partitions of days that were over and that have nothing left in them.
pub(super) fn remove_empty(db: &Db, before_ms: i64) -> Result<()> {
    for partition in days::before(db, before_ms)? {
        days::drop_if_empty(db, &partition, before_ms)?;
    }
    Ok(())
}

/// A lease that is there tells of the session that held it that it is no session itself: such a session
/// stays until the lease goes.
fn sessions(db: &Db, partition: &str, before_ms: i64, limit: u64) -> Result<u64> {
    let sql = format!(
        "WITH gone AS (DELETE FROM {partition} WHERE ctid = ANY(ARRAY( \
         SELECT s.ctid FROM {partition} s WHERE s.started_ms < $1 AND s.ended_ms < $1 \
         AND (s.lease_made_in IS NULL OR NOT EXISTS (SELECT 1 FROM history_leases l \
         WHERE l.source IN (SELECT number FROM history_sources) AND l.made_in = s.lease_made_in \
         AND l.made_by = s.lease_made_by AND l.ended_ms >= $1)) LIMIT $2)) \
         RETURNING computer, agent_incarnation, session) \
         DELETE FROM history_session_keys k USING gone g WHERE k.computer = g.computer \
         AND k.agent_incarnation = g.agent_incarnation AND k.session = g.session"
    );
    db.run(&sql, &params![before_ms, signed(limit)])
}
