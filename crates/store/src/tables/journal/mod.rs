//! The journal: each batch's events as one record, written in one statement with one fsync.
//!
//! A record is kept until the tables hold its events. Each event in it is a [`frame`]: a later
//! version reads what an earlier one wrote, and an earlier one refuses what it does not know.

pub(crate) mod frame;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_2;
#[cfg(test)]
mod golden_3;
pub(crate) mod unframed;

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use usher_core::ledger::{Batch, Event, Now, Steady, Wall};

use crate::base::columns::from_i64;
use crate::base::error::StoreError;
use crate::base::meta::version;
use crate::base::schema::as_of;

/// The form that kept answers are written in.
pub(crate) const FORM_OF_ANSWERS: u16 = 1;

/// Why a commit failed.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// Nothing was written.
    Definite(String),
    /// It may be there after a crash, or not.
    Unknown(String),
}

impl CommitError {
    /// What an SQLite error says about a transaction that failed with it.
    pub(crate) fn of(error: &rusqlite::Error) -> CommitError {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly};
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(DiskFull | ReadOnly | DatabaseBusy | DatabaseLocked | CannotOpen) => {
                CommitError::Definite(why)
            }
            // Not SQLite's: a value that could not be turned into a row.
            None => CommitError::Definite(why),
            Some(_) => CommitError::Unknown(why),
        }
    }
}

/// Writes one batch; durable when it returns. `buffer` is only lent, to spare its allocation.
pub(crate) fn commit(
    connection: &Connection,
    first: u64,
    at: Now,
    events: &[Event],
    buffer: &mut Vec<u8>,
) -> Result<(), CommitError> {
    encode(events, buffer).map_err(CommitError::Definite)?;
    let insert = || {
        connection
            .prepare_cached(
                "INSERT INTO journal (first, count, steady, wall, events, framed) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            )?
            .execute(params![
                first.cast_signed(),
                events.len() as i64,
                at.steady.0.cast_signed(),
                at.wall.0,
                buffer.as_slice(),
            ])
    };
    insert().map(drop).map_err(|error| CommitError::of(&error))
}

/// Writes a record in place of the one that begins at `first`.
pub(crate) fn replace(connection: &Connection, first: u64, events: &[Event]) -> Result<(), String> {
    let mut buffer = Vec::new();
    encode(events, &mut buffer)?;
    connection
        .prepare_cached("UPDATE journal SET events = ?2, framed = 1 WHERE first = ?1")
        .and_then(|mut update| update.execute(params![first.cast_signed(), buffer]))
        .map(drop)
        .map_err(|error| error.to_string())
}

/// The first form that has an event of this kind.
fn form(event: &Event) -> u16 {
    match event {
        Event::EntitlementDescribed { .. } => 2,
        Event::UnseatedProgram { .. } => 3,
        _ => 1,
    }
}

fn encode(events: &[Event], buffer: &mut Vec<u8>) -> Result<(), String> {
    buffer.clear();
    for event in events {
        frame::put(event, form(event), buffer)
            .map_err(|error| format!("an event cannot be written: {error}"))?;
    }
    Ok(())
}

fn decode(mut bytes: &[u8], count: usize) -> Result<Vec<Event>, String> {
    let mut events = Vec::with_capacity(count.min(bytes.len()));
    for place in 0..count {
        let (event, rest) = frame::take(bytes)
            .map_err(|error| format!("its event {place} cannot be read: {error}"))?;
        events.push(event);
        bytes = rest;
    }
    match bytes.len() {
        0 => Ok(events),
        left => Err(format!("{left} bytes are left over behind its last event")),
    }
}

/// Up to which event number, not included, the journal goes; none if it is empty.
pub(crate) fn end(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let last = "SELECT first + count FROM journal ORDER BY first DESC LIMIT 1";
    let end: Option<i64> = connection
        .query_row(last, [], |row| row.get(0))
        .optional()?;
    Ok(end.map(from_i64))
}

/// The oldest records, in order, until they hold `at_least` events or there are no more.
pub(crate) fn oldest(
    connection: &Connection,
    path: &Path,
    from: u64,
    at_least: u64,
) -> Result<Vec<Batch>, StoreError> {
    let database = |source| StoreError::Database {
        doing: "read the journal of",
        path: path.into(),
        source,
    };
    let mut statement = connection
        .prepare_cached(&as_of(
            "SELECT first, count, steady, wall, events, framed FROM journal WHERE first >= ?1 \
             ORDER BY first",
            version(connection).map_err(database)?,
        ))
        .map_err(database)?;
    let mut rows = statement.query([from.cast_signed()]).map_err(database)?;
    let mut batches = Vec::new();
    let mut events = 0;
    while let Some(row) = rows.next().map_err(database)? {
        let record = read(row).map_err(database)?;
        let decoded = match record.framed {
            true => decode(&record.events, record.count),
            false => unframed::events(&record.events, record.count),
        };
        let decoded = decoded.map_err(|why| StoreError::Damaged {
            path: path.into(),
            why: format!("journal record {}: {why}", record.first),
        })?;
        events += decoded.len() as u64;
        batches.push(Batch {
            first: record.first,
            at: record.at,
            events: Arc::from(decoded),
        });
        if events >= at_least {
            break;
        }
    }
    Ok(batches)
}

/// A record as it lies in the file.
struct Record {
    first: u64,
    count: usize,
    at: Now,
    events: Vec<u8>,
    /// Whether its events are frames; those of schema 1 and 2 were not.
    framed: bool,
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        first: from_i64(row.get(0)?),
        count: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
        at: Now {
            steady: Steady(from_i64(row.get(2)?)),
            wall: Wall(row.get(3)?),
        },
        events: row.get(4)?,
        framed: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::ledger::{EventNumber, ProductNumber};

    #[test]
    fn events_are_read_back_as_they_were_written_and_a_torn_record_is_an_error() {
        let events = vec![
            Event::ProductRemoved {
                product: ProductNumber(7),
            },
            Event::Renewed {
                lease: EventNumber(9),
                deadline: Steady(11),
            },
        ];
        let mut bytes = Vec::new();
        encode(&events, &mut bytes).unwrap();
        assert_eq!(decode(&bytes, 2).unwrap(), events);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut], 2).is_err(), "{cut} bytes were enough");
        }
        assert!(decode(&bytes, 1).is_err(), "bytes that no event claims");
    }
}
