//! Who collects the history, and how far each has come: what a pack leaves for them.
//!
//! A consumer acknowledges up to an event. What it has acknowledged is kept for [`KEPT_DAYS`] more,
//! so that a consumer whose own data were put back to a backup can fetch it again. One that has
//! acknowledged nothing for [`LIVE_DAYS`] keeps nothing any more. All days are by the wall clock.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::base::columns::from_i64;
use crate::base::meta::number;
use crate::queue::requests::Failure;
use crate::queue::shared::Shared;
use crate::read::history::{HistoryPoint, place};
use crate::tables::lives;

/// Consumers at the most.
pub const CONSUMERS_LIMIT: usize = 16;
/// What was acknowledged is kept for so many more days.
pub const KEPT_DAYS: i64 = 14;
/// A consumer that has acknowledged nothing for so many days keeps nothing any more.
pub const LIVE_DAYS: i64 = 30;

const DAY_MS: i64 = 86_400_000;

/// A consumer of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// When it acknowledged for the first time, in Unix milliseconds.
    pub since: i64,
    /// When it did last, in Unix milliseconds.
    pub asked_at: i64,
    /// Up to which event.
    pub through: u64,
    /// What ended after this event is kept for it.
    pub kept_after: u64,
    /// Whether anything is kept for it.
    pub is_live: bool,
}

/// Why an acknowledgement was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The point is none of this history.
    NotHere,
    /// There are [`CONSUMERS_LIMIT`] others.
    TooMany,
}

/// The consumers of a data file. Never on an async thread.
pub struct Consumers {
    shared: Arc<Shared>,
}

impl Consumers {
    pub(crate) fn new(shared: Arc<Shared>) -> Consumers {
        Consumers { shared }
    }

    /// All of them, by name. `now` is in Unix milliseconds.
    pub fn list(&self, now: i64) -> Result<Vec<Consumer>, Failure> {
        self.shared
            .with_reader(move |connection| all(connection, now))
    }

    /// Keeps that a consumer has what ended up to a point; an earlier point than it acknowledged
    /// before changes nothing but when it asked. Durable when it returns.
    pub fn acknowledge(
        &self,
        name: &str,
        point: HistoryPoint,
        now: i64,
    ) -> Result<Result<Consumer, NotTaken>, Failure> {
        let name = name.to_owned();
        self.shared
            .with_connection(move |connection| acknowledge(connection, &name, point, now))
    }

    /// Forgets one; whether there was one of that name.
    pub fn forget(&self, name: &str) -> Result<bool, Failure> {
        let name = name.to_owned();
        self.shared.with_connection(move |connection| {
            connection.execute(
                "DELETE FROM history_acknowledged WHERE consumer = ?1",
                [&name],
            )?;
            let gone =
                connection.execute("DELETE FROM history_consumers WHERE name = ?1", [&name])?;
            Ok(gone > 0)
        })
    }
}

/// All consumers, by name.
pub(crate) fn all(connection: &Connection, now: i64) -> rusqlite::Result<Vec<Consumer>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.name, c.since, c.asked_at, \
         coalesce((SELECT max(a.through) FROM history_acknowledged a WHERE a.consumer = c.name), 0), \
         coalesce((SELECT max(a.through) FROM history_acknowledged a \
             WHERE a.consumer = c.name AND a.at <= ?1), 0) \
         FROM history_consumers c ORDER BY c.name",
    )?;
    let rows = statement.query_map([now.saturating_sub(KEPT_DAYS * DAY_MS)], |row| {
        let asked_at: i64 = row.get(2)?;
        Ok(Consumer {
            name: row.get(0)?,
            since: row.get(1)?,
            asked_at,
            through: from_i64(row.get(3)?),
            kept_after: from_i64(row.get(4)?),
            is_live: now.saturating_sub(asked_at) < LIVE_DAYS * DAY_MS,
        })
    })?;
    rows.collect()
}

fn acknowledge(
    connection: &Connection,
    name: &str,
    point: HistoryPoint,
    now: i64,
) -> rusqlite::Result<Result<Consumer, NotTaken>> {
    let head = number(connection, "filled_to")?
        .unwrap_or(1)
        .saturating_sub(1);
    let Ok(point) = place(&lives::all(connection)?, point, head) else {
        return Ok(Err(NotTaken::NotHere));
    };
    let known: Option<i64> = connection
        .query_row(
            "SELECT (SELECT coalesce(max(through), 0) FROM history_acknowledged \
             WHERE consumer = name) FROM history_consumers WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .optional()?;
    if known.is_none() {
        let count: i64 =
            connection.query_row("SELECT count(*) FROM history_consumers", [], |row| {
                row.get(0)
            })?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= CONSUMERS_LIMIT {
            return Ok(Err(NotTaken::TooMany));
        }
    }
    connection.execute(
        "INSERT INTO history_consumers (name, since, asked_at) VALUES (?1, ?2, ?2) \
         ON CONFLICT (name) DO UPDATE SET asked_at = ?2",
        params![name, now],
    )?;
    let through = point.event.0.cast_signed();
    if known.is_none_or(|known| known < through) {
        // The last of a day stands for all of it: then what it had before is kept a little longer.
        connection.execute(
            "INSERT INTO history_acknowledged (consumer, day, through, at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (consumer, day) DO UPDATE SET through = ?3, at = ?4",
            params![name, now.div_euclid(DAY_MS), through, now],
        )?;
    }
    // The newest that is old enough says all that the older ones do.
    connection.execute(
        "DELETE FROM history_acknowledged WHERE consumer = ?1 AND at < \
         (SELECT max(at) FROM history_acknowledged WHERE consumer = ?1 AND at <= ?2)",
        params![name, now.saturating_sub(KEPT_DAYS * DAY_MS)],
    )?;
    let all = all(connection, now)?;
    let it = all.into_iter().find(|consumer| consumer.name == name);
    it.map(Ok).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

#[cfg(test)]
mod tests;
