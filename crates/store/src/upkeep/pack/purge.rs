//! Removes rows past their retention, window by window in the order in which they are stored.
//!
//! A row's number grows with time, so that a table's old rows lie together at its beginning: the
//! walk ends at the first window in which nothing began before the limit.

use rusqlite::{Connection, params};

/// A table that is purged.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// When what a row tells began, in Unix milliseconds.
    began: &'static str,
    /// When it was over, in Unix milliseconds; NULL where it is not, and then the row stays.
    over: &'static str,
}

/// Leases go before sessions: a lease whose session is gone could pass for a use of its own.
pub(super) const LEASES: Table = Table {
    name: "leases",
    began: "granted_at",
    over: "CASE WHEN ended IS NOT NULL THEN ended_at END",
};
/// Only those that nobody can ask for any more.
pub(super) const TICKETS: Table = Table {
    name: "tickets",
    began: "queued_at",
    over: "CASE WHEN forgotten = 1 THEN queued_at END",
};
pub(super) const SESSIONS: Table = Table {
    name: "sessions",
    began: "started_at",
    over: "ended_at",
};
pub(super) const DENIALS: Table = Table {
    name: "denials",
    began: "first_at",
    over: "last_at",
};

pub(super) const CHANGES: Table = Table {
    name: "changes",
    began: "at",
    over: "at",
};

/// What a window brought.
pub(super) struct Window {
    pub(super) purged_rows: u64,
    /// The last row that was looked at; none if the walk is over.
    pub(super) cursor: Option<i64>,
}

/// Purges among the next rows after `cursor` those that were over before `limit_ms`.
pub(super) fn window(
    connection: &Connection,
    table: &Table,
    cursor: i64,
    rows: u32,
    limit_ms: i64,
) -> rusqlite::Result<Window> {
    let Table { name, began, over } = table;
    let (last, oldest): (Option<i64>, Option<i64>) = connection
        .prepare_cached(&format!(
            "SELECT max(number), min({began}) FROM \
             (SELECT number, {began} FROM {name} WHERE number > ?1 ORDER BY number LIMIT ?2)"
        ))?
        .query_row(params![cursor, rows], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(last), Some(oldest)) = (last, oldest) else {
        return Ok(Window {
            purged_rows: 0,
            cursor: None,
        });
    };
    if oldest >= limit_ms {
        return Ok(Window {
            purged_rows: 0,
            cursor: None,
        });
    }
    let purged = connection
        .prepare_cached(&format!(
            "DELETE FROM {name} WHERE number > ?1 AND number <= ?2 AND {over} < ?3"
        ))?
        .execute(params![cursor, last, limit_ms])?;
    Ok(Window {
        purged_rows: purged as u64,
        cursor: Some(last),
    })
}
