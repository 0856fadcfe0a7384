//! Removes rows past their retention, window by window in the order in which they are stored.
//!
//! A row's number grows with time, so that a table's old rows lie together at its beginning: the
//! walk ends at the first window in which nothing began before the limit.

use rusqlite::{Connection, params};

/// A table that is purged.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The column with the time at which the thing began, in Unix milliseconds.
    began: &'static str,
    /// The column with the time at which it was over, in Unix milliseconds. NULL: it is not, and
    /// the row stays.
    over: &'static str,
    /// The column with the event that ended it, for consumers of the history; none: the history
    /// does not contain it.
    event: Option<&'static str>,
}

/// Leases go before sessions: a lease whose session is gone could pass for a use of its own.
pub(super) const LEASES: Table = Table {
    name: "leases",
    began: "granted_at",
    over: "CASE WHEN ended IS NOT NULL THEN ended_at END",
    event: Some("ended"),
};
/// Only those that nobody can ask for any more.
pub(super) const TICKETS: Table = Table {
    name: "tickets",
    began: "queued_at",
    over: "CASE WHEN forgotten = 1 THEN queued_at END",
    event: Some("coalesce(settled, number)"),
};
pub(super) const SESSIONS: Table = Table {
    name: "sessions",
    began: "started_at",
    over: "ended_at",
    event: Some("number"),
};
pub(super) const DENIALS: Table = Table {
    name: "denials",
    began: "first_at",
    over: "last_at",
    event: Some("number"),
};

pub(super) const CHANGES: Table = Table {
    name: "changes",
    began: "at",
    over: "at",
    event: None,
};

/// The result of one window.
pub(super) struct Window {
    pub(super) purged_rows: u64,
    /// The last row of the window; none: the walk is complete.
    pub(super) cursor: Option<i64>,
    /// Whether rows past their retention are kept for consumers of the history.
    pub(super) is_held: bool,
}

/// The limits of a purge: rows within both are removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Rows that were over before this time, in Unix milliseconds.
    pub(super) over_ms: i64,
    /// Rows that ended with this event or an earlier one.
    pub(super) event: i64,
}

/// Purges among the next rows after `cursor` those that are beyond the limit.
pub(super) fn window(
    connection: &Connection,
    table: &Table,
    cursor: i64,
    rows: u32,
    limit: Limit,
) -> rusqlite::Result<Window> {
    let Table {
        name,
        began,
        over,
        event,
    } = table;
    let over_with = |is_held| Window {
        purged_rows: 0,
        cursor: None,
        is_held,
    };
    let (last, oldest): (Option<i64>, Option<i64>) = connection
        .prepare_cached(&format!(
            "SELECT max(number), min({began}) FROM \
             (SELECT number, {began} FROM {name} WHERE number > ?1 ORDER BY number LIMIT ?2)"
        ))?
        .query_row(params![cursor, rows], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(last), Some(oldest)) = (last, oldest) else {
        return Ok(over_with(false));
    };
    if oldest >= limit.over_ms {
        return Ok(over_with(false));
    }
    // What a row tells ended with its own event or a later one.
    if event.is_some() && cursor >= limit.event {
        return Ok(over_with(true));
    }
    let may_hold = event.is_some() && limit.event < i64::MAX;
    let event = event.unwrap_or("0");
    let purged = connection
        .prepare_cached(&format!(
            "DELETE FROM {name} WHERE number > ?1 AND number <= ?2 AND {over} < ?3 \
             AND {event} <= ?4"
        ))?
        .execute(params![cursor, last, limit.over_ms, limit.event])?;
    let is_held = may_hold
        && connection
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM {name} WHERE number > ?1 AND number <= ?2 \
                 AND {over} < ?3)"
            ))?
            .query_row(params![cursor, last, limit.over_ms], |row| row.get(0))?;
    Ok(Window {
        purged_rows: purged as u64,
        cursor: Some(last),
        is_held,
    })
}
