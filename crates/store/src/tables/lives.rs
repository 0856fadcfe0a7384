//! The lives of the data in a file: each restore begins another, and numbers its events on from
//! those of the copy that was restored.
//!
//! Numbers grow along the lives that a file knows, so one number tells a place in its history; what
//! another copy of the file did after they parted has the same numbers in another life.

use std::path::Path;

use rusqlite::{Connection, params};
use usher_core::ledger::{EventNumber, Incarnation};

use crate::base::columns::from_i64;
use crate::base::error::StoreError;
use crate::base::meta::number;

/// A life of the data in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// The number of its first event; 0 in the first life.
    pub(crate) began: u64,
    pub(crate) incarnation: Incarnation,
}

/// Adds a life that begins with that event.
pub(crate) fn begin(
    connection: &Connection,
    began: EventNumber,
    incarnation: Incarnation,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO lives (began, incarnation) VALUES (?1, ?2)")?
        .execute(params![began.0.cast_signed(), incarnation.0])
        .map(drop)
}

/// All known lives, the oldest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Life>> {
    let mut statement =
        connection.prepare_cached("SELECT began, incarnation FROM lives ORDER BY began")?;
    let rows = statement.query_map([], |row| {
        Ok(Life {
            began: from_i64(row.get(0)?),
            incarnation: Incarnation(row.get(1)?),
        })
    })?;
    rows.collect()
}

/// Enters what a version before schema 5 has left out when it served the file again: the life that
/// it began, and which events settled tickets. Nobody can have read of these before.
pub(crate) fn catch_up(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let enter = || {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        enter_life(connection)?;
        settle_tickets(connection)?;
        connection.execute_batch("COMMIT")
    };
    enter().map_err(|source| StoreError::Database {
        doing: "bring the history up to date in",
        path: path.into(),
        source,
    })
}

fn enter_life(connection: &Connection) -> rusqlite::Result<()> {
    let Some(now) = number(connection, "incarnation")? else {
        return Ok(());
    };
    let known = all(connection)?;
    let last = known.last();
    if last.is_some_and(|life| u64::from(life.incarnation.0) == now) {
        return Ok(());
    }
    let began = match last {
        None => 0,
        Some(_) => number(connection, "life_began")?.unwrap_or(0),
    };
    let now = Incarnation(u32::try_from(now).unwrap_or(0));
    begin(connection, EventNumber(began), now)
}

/// Each was settled by an event of its own of that version's time, so the last events before now
/// are as many as are needed.
fn settle_tickets(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT number FROM tickets WHERE settled IS NULL AND (state IN ('expired', 'cancelled', \
         'denied') OR state = 'granted' AND until IS NULL) ORDER BY number",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    let tickets: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let filled_to = number(connection, "filled_to")?.unwrap_or(1).cast_signed();
    let first = filled_to.saturating_sub(tickets.len() as i64);
    let mut settle = connection.prepare_cached(
        "UPDATE tickets SET settled = ?2, settled_as = state, settled_lease = lease, \
         settled_lease_incarnation = lease_incarnation WHERE number = ?1",
    )?;
    for (event, ticket) in (first..).zip(tickets) {
        settle.execute(params![ticket, event.max(ticket)])?;
    }
    Ok(())
}
