//! People and computers that no row refers to.

use std::time::Duration;

use rusqlite::Connection;
use usher_core::ledger::{ComputerId, SubjectId};

use crate::base::columns::from_i64;

/// How many people or computers one command forgets.
pub(super) const AT_ONCE: usize = 256;
/// The pause between two commands, so that other commits fit in between.
pub(super) const PAUSE: Duration = Duration::from_millis(5);
/// How many one pack forgets at most; the next pack goes on.
const LIMIT: u32 = 1_000_000;

/// Those without a reference. Zero stands for all who were too many to be entered, and stays.
pub(super) fn find(connection: &Connection) -> rusqlite::Result<(Vec<SubjectId>, Vec<ComputerId>)> {
    let ids = |sql: &str| -> rusqlite::Result<Vec<i64>> {
        let mut statement = connection.prepare(sql)?;
        statement.query_map([LIMIT], |row| row.get(0))?.collect()
    };
    let subjects = ids("SELECT id FROM subjects WHERE id <> 0 AND id NOT IN (
            SELECT subject FROM leases UNION SELECT subject FROM tickets
            UNION SELECT subject FROM denials UNION SELECT subject FROM unseated
            UNION SELECT subject FROM sessions
            UNION SELECT real_subject FROM sessions WHERE real_subject IS NOT NULL
            UNION SELECT subject FROM tokens WHERE subject IS NOT NULL) LIMIT ?1")?;
    let computers = ids("SELECT id FROM computers WHERE id <> 0 AND id NOT IN (
            SELECT computer FROM leases UNION SELECT computer FROM tickets
            UNION SELECT computer FROM denials UNION SELECT computer FROM unseated
            UNION SELECT computer FROM sessions UNION SELECT computer FROM marks
            UNION SELECT computer FROM programs
            UNION SELECT computer FROM tokens WHERE computer IS NOT NULL) LIMIT ?1")?;
    Ok((
        subjects
            .into_iter()
            .map(|id| SubjectId(from_i64(id)))
            .collect(),
        computers
            .into_iter()
            .map(|id| ComputerId(from_i64(id)))
            .collect(),
    ))
}
