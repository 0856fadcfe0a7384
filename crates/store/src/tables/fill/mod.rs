//! Fills the tables that people query from the journal, a slice at a time.
//!
//! A slice is one transaction: rows in, journal records out, `filled_to` moved. It needs no fsync
//! of its own: until it is durable the journal still has the events, and filling again gives the
//! same rows.

use std::path::Path;

use rusqlite::Connection;
use usher_core::ledger::{Batch, Event, EventNumber};

use crate::base::error::StoreError;
use crate::base::meta::put;
use crate::tables::journal;

mod answers;
mod changes;
mod leases;
mod programs;
mod rows;
mod tickets;

use leases::Leases;

/// Takes about `at_least` events from the journal into the tables; answers the number up to
/// which, not included, the tables then hold all events, if there was anything to do.
pub(crate) fn fill(
    connection: &Connection,
    path: &Path,
    from: u64,
    at_least: u64,
) -> Result<Option<u64>, StoreError> {
    let batches = journal::oldest(connection, path, from, at_least)?;
    let Some(last) = batches.last() else {
        return Ok(None);
    };
    let filled_to = last.first + last.events.len() as u64;
    let database = |source| StoreError::Database {
        doing: "fill the tables of",
        path: path.into(),
        source,
    };
    connection
        .execute_batch("PRAGMA synchronous = NORMAL")
        .map_err(database)?;
    let done = slice(connection, &batches, filled_to);
    if done.is_err() && !connection.is_autocommit() {
        // The first error is the one to tell; a rollback that fails as well adds nothing.
        let _ = connection.execute_batch("ROLLBACK");
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL")
        .map_err(database)?;
    done.map_err(database)?;
    Ok(Some(filled_to))
}

fn slice(connection: &Connection, batches: &[Batch], filled_to: u64) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut leases = Leases::new(connection);
    for batch in batches {
        for (number, event) in (batch.first..).zip(batch.events.iter()) {
            rows::write(
                connection,
                &mut leases,
                batch.at,
                EventNumber(number),
                event,
            )?;
            if let Event::Changed { by, from } = event {
                changes::write(connection, batch, *from, by)?;
            }
        }
    }
    leases.write()?;
    let answers = batches.iter().flat_map(|batch| batch.events.iter());
    let answers = answers.filter(|event| matches!(event, Event::Remembered { .. }));
    answers::forget(connection, answers.count() as u64, batches.last())?;
    connection
        .prepare_cached("DELETE FROM journal WHERE first < ?1")?
        .execute([filled_to.cast_signed()])?;
    if let Some(last) = batches.last() {
        put(connection, "filled_to", filled_to)?;
        put(connection, "last_steady", last.at.steady.0)?;
        put(connection, "last_wall", last.at.wall.0.cast_unsigned())?;
    }
    connection.execute_batch("COMMIT")
}

fn signed(value: u64) -> i64 {
    value.cast_signed()
}
