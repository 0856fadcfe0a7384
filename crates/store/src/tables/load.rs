//! Loads the ledger from a data file: the rows of the tables, then the journal's events.

mod rows;

use std::path::Path;

use rusqlite::{Connection, Row, params};
use usher_core::ledger::*;

use self::rows::{
    ALLOTMENTS, DENIALS, ENTITLEMENTS, LEASES, PRODUCTS, TICKETS, UNSEATED, allotment, answer,
    denial, entitlement, lease, product, ticket, unseated,
};
use crate::base::columns::from_i64;
use crate::base::error::StoreError;
use crate::base::meta::{self, number};
use crate::base::schema::as_of;
use crate::tables::adopted::read_adopted;
use crate::tables::details;
use crate::tables::journal;

/// What was read.
pub(crate) struct Loaded {
    pub ledger: Ledger,
    /// Up to which number, not included, the tables hold all events.
    pub filled_to: u64,
    /// Events that only the journal has.
    pub journal_events: u64,
    /// The last instant that the file knows of.
    pub last: Now,
}

/// Rebuilds the ledger exactly as it was after the last durable batch.
/// `left` is told how many of the journal's events are still to be taken in.
pub(crate) fn load(
    connection: &Connection,
    path: &Path,
    left: &dyn Fn(u64),
) -> Result<Loaded, StoreError> {
    let database = |source| StoreError::Database {
        doing: "read",
        path: path.into(),
        source,
    };
    let meta = |key| number(connection, key).map_err(database);
    let filled_to = meta("filled_to")?.unwrap_or(1);
    let mut last = Now {
        steady: Steady(meta("last_steady")?.unwrap_or(0)),
        wall: Wall(meta("last_wall")?.unwrap_or(0).cast_signed()),
    };
    let end = journal::end(connection).map_err(database)?;
    // The tables count as one more: they are read in one go.
    let tell = |next: u64| left(end.unwrap_or(next).saturating_sub(next));
    left(end.unwrap_or(filled_to).saturating_sub(filled_to) + 1);
    let mut ledger = restore(connection, filled_to, last.steady).map_err(database)?;
    let mut next = filled_to;
    let mut journal_events = 0;
    loop {
        tell(next);
        let batches = journal::oldest(connection, path, next, 10_000)?;
        if batches.is_empty() {
            return Ok(Loaded {
                ledger,
                filled_to,
                journal_events,
                last,
            });
        }
        for batch in batches {
            if batch.first != next {
                return Err(StoreError::Damaged {
                    path: path.into(),
                    why: format!(
                        "the journal goes on at event {} instead of {next}",
                        batch.first
                    ),
                });
            }
            for (number, event) in (batch.first..).zip(batch.events.iter()) {
                ledger.absorb(batch.at, EventNumber(number), event);
            }
            let count = batch.events.len() as u64;
            next += count;
            journal_events += count;
            last = batch.at;
        }
    }
}

/// The ledger that the tables hold. There may be millions of leases, so they never lie in memory all
/// at once beside the ledger.
fn restore(connection: &Connection, filled_to: u64, last: Steady) -> rusqlite::Result<Ledger> {
    let snapshot = snapshot(connection, filled_to, last)?;
    let sql = as_of(LEASES, meta::version(connection)?);
    let mut leases = connection.prepare(&sql)?;
    Ledger::restore(snapshot, leases.query_map([], lease)?)
}

fn snapshot(connection: &Connection, filled_to: u64, last: Steady) -> rusqlite::Result<Snapshot> {
    let hold_until = number(connection, "hold_until")?
        .filter(|until| *until > 0)
        .map(Steady);
    let incarnation = number(connection, "incarnation")?.unwrap_or(0);
    Ok(Snapshot {
        incarnation: Incarnation(u32::try_from(incarnation).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Integer,
                error.into(),
            )
        })?),
        hold_until,
        paused: number(connection, "paused")? == Some(1),
        life_began: number(connection, "life_began")?.unwrap_or(0),
        adopted: read_adopted(connection)?,
        next_number: filled_to,
        catalogue_version: number(connection, "catalogue_version")?.unwrap_or(0),
        products: rows(connection, PRODUCTS, [], product)?,
        entitlements: rows(connection, ENTITLEMENTS, [], entitlement)?,
        details: details::read(connection)?,
        allotments: rows(connection, ALLOTMENTS, [], allotment)?,
        tickets: rows(connection, TICKETS, [], ticket)?,
        unseated: rows(connection, UNSEATED, [], unseated)?,
        subjects: rows(
            connection,
            "SELECT id, authority, key, name FROM subjects",
            [],
            |row| {
                Ok(Subject {
                    id: SubjectId(from_i64(row.get(0)?)),
                    authority: row.get(1)?,
                    key: row.get(2)?,
                    name: row.get(3)?,
                })
            },
        )?,
        computers: rows(
            connection,
            "SELECT id, key, name, document FROM computers",
            [],
            |row| {
                Ok(Computer {
                    id: ComputerId(from_i64(row.get(0)?)),
                    key: row.get(1)?,
                    name: row.get(2)?,
                    document: row.get(3)?,
                })
            },
        )?,
        marks: rows(
            connection,
            "SELECT computer, incarnation, sequence FROM marks",
            [],
            |row| {
                let mark = Mark {
                    incarnation: from_i64(row.get(1)?),
                    sequence: from_i64(row.get(2)?),
                };
                Ok((ComputerId(from_i64(row.get(0)?)), mark))
            },
        )?,
        denials: rows(
            connection,
            DENIALS,
            params![before(last, RETRY_SECONDS)],
            denial,
        )?,
        memory: rows(
            connection,
            // The newest that are kept; the table may hold more.
            "SELECT key, body, reply, steady, framed FROM (SELECT * FROM answers \
             WHERE steady > ?1 ORDER BY number DESC LIMIT ?2) ORDER BY number",
            params![before(last, KEPT_SECONDS), KEYS_LIMIT as i64],
            answer,
        )?
        .into_iter()
        .flatten()
        .collect(),
    })
}

/// The instant `seconds` before another, which may lie before the clock's beginning.
fn before(instant: Steady, seconds: u64) -> i64 {
    instant.0.cast_signed() - (seconds * 1_000).cast_signed()
}

fn rows<T, P: rusqlite::Params>(
    connection: &Connection,
    sql: &str,
    values: P,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let sql = as_of(sql, meta::version(connection)?);
    connection.prepare(&sql)?.query_map(values, read)?.collect()
}
