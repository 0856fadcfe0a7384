//! The rows of what has ended: one row for each item, even if it arrives a second time.
//!
//! The items of a batch of one kind are put in by one statement each. An item that is there already
//! stays unchanged, but is no longer marked as gone, because a server has it.

use std::collections::HashSet;

use tokio_postgres::types::Type;

use super::super::db::Db;
use super::super::failure::{Error, Result};
use super::super::values::{Arrays, Param, params};
use super::days;
use super::names::Names;
use crate::collected::{EndedDenial, EndedLease, EndedSession, EndedWait, HistoryItem, Made};
use crate::columns::signed;

pub(super) type Key = [i64; 3];

/// A column, and its type.
type Column = (&'static str, &'static str);

const SESSION_KEYS: [Column; 8] = [
    ("computer", "bigint"),
    ("agent_incarnation", "bigint"),
    ("session", "bigint"),
    ("source", "bigint"),
    ("incarnation", "bigint"),
    ("event", "bigint"),
    ("lease_made_in", "bigint"),
    ("lease_made_by", "bigint"),
];

const COPY_SESSIONS: &str = "COPY history_sessions (computer, agent_incarnation, session, source, \
    product, person, real_person, program, version, started_ms, ended_ms, duration_ms, unseated_ms, \
    lease_made_in, lease_made_by) FROM STDIN BINARY";
const SESSION_TYPES: [Type; 15] = [
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
];

/// What the rows of leases, denials and waits begin with.
const COMMON: [Column; 8] = [
    ("source", "bigint"),
    ("made_in", "bigint"),
    ("made_by", "bigint"),
    ("incarnation", "bigint"),
    ("event", "bigint"),
    ("product", "bigint"),
    ("person", "bigint"),
    ("computer", "bigint"),
];

const LEASES: [Column; 14] = [
    ("seats", "bigint"),
    ("program", "text"),
    ("agent_incarnation", "bigint"),
    ("session", "bigint"),
    ("kept", "boolean"),
    ("granted_ms", "bigint"),
    ("ended_ms", "bigint"),
    ("held_ms", "bigint"),
    ("cause", "text"),
    ("ticket_made_in", "bigint"),
    ("ticket_made_by", "bigint"),
    ("with_made_in", "bigint"),
    ("with_made_by", "bigint"),
    ("retry", "boolean"),
];

const DENIALS: [Column; 7] = [
    ("seats", "bigint"),
    ("reason", "text"),
    ("count", "bigint"),
    ("retries", "bigint"),
    ("waits", "boolean"),
    ("first_ms", "bigint"),
    ("last_ms", "bigint"),
];

const WAITS: [Column; 12] = [
    ("seats", "bigint"),
    ("priority", "bigint"),
    ("outcome", "text"),
    ("reason", "text"),
    ("lease_made_in", "bigint"),
    ("lease_made_by", "bigint"),
    ("with_made_in", "bigint"),
    ("with_made_by", "bigint"),
    ("queued_ms", "bigint"),
    ("decided_ms", "bigint"),
    ("waited_ms", "bigint"),
    ("retry", "boolean"),
];

/// An item of a batch with what it says.
pub(super) type Told<'b, T> = (&'b HistoryItem, &'b T);

/// Where items come from.
pub(super) struct Teller<'n, 'd> {
    pub(super) db: &'d Db,
    pub(super) source: i64,
    pub(super) at_ms: i64,
    pub(super) names: &'n mut Names<'d>,
}

impl Teller<'_, '_> {
    /// Appends sessions; those that are new.
    pub(super) fn sessions<'b>(
        &mut self,
        told: &[Told<'b, EndedSession>],
    ) -> Result<Vec<Told<'b, EndedSession>>> {
        let mut keys = Vec::with_capacity(told.len());
        for (_, it) in told {
            let computer = self.names.computer_of(&it.key.computer)?;
            let [incarnation, session] = [it.key.incarnation, it.key.session];
            keys.push([computer, incarnation.cast_signed(), session.cast_signed()]);
        }
        let rows = told.iter().zip(&keys).map(|((item, it), key)| {
            let [computer, incarnation, session] = *key;
            let (lease_made_in, lease_made_by) = made(it.lease);
            params![
                computer,
                incarnation,
                session,
                self.source,
                item.at.incarnation,
                signed(item.at.event),
                lease_made_in,
                lease_made_by
            ]
            .to_vec()
        });
        let rows: Vec<Vec<Param>> = rows.collect();
        let is_new = put(self.db, "history_session_keys", &SESSION_KEYS, &keys, &rows)?;
        let new = told.iter().zip(&keys).zip(&is_new);
        let new = new.filter(|(_, is_new)| **is_new);
        let new: Vec<_> = new.map(|((told, key), _)| (*told, *key)).collect();
        self.copy(&new)?;
        Ok(new.into_iter().map(|(told, _)| told).collect())
    }

    /// Copies new sessions into the partitions of their days: sorted, so that each is gone to once, and
    /// what is late behind the others.
    fn copy(&mut self, new: &[(Told<'_, EndedSession>, Key)]) -> Result<()> {
        let begun = new.iter().map(|((_, it), _)| it.started_ms);
        days::make(self.db, begun, self.at_ms)?;
        let mut sorted: Vec<_> = new.iter().collect();
        sorted.sort_by_key(|((_, it), _)| it.started_ms);
        let is_on_time = |it: &EndedSession| days::is_on_time(it.started_ms, self.at_ms);
        let (on_time, late): (Vec<&_>, Vec<&_>) =
            sorted.into_iter().partition(|((_, it), _)| is_on_time(it));
        for part in [on_time, late] {
            let mut rows = Vec::with_capacity(part.len());
            for ((item, it), key) in part {
                rows.push(self.session(item, it, *key)?);
            }
            if !rows.is_empty() {
                self.db.copy(COPY_SESSIONS, &SESSION_TYPES, &rows)?;
            }
        }
        Ok(())
    }

    fn session(&mut self, item: &HistoryItem, it: &EndedSession, key: Key) -> Result<Vec<Param>> {
        let [computer, incarnation, session] = key;
        let real_person = it.real_person.as_deref();
        let real_person = real_person.and_then(|id| self.names.person(id));
        let (lease_made_in, lease_made_by) = made(it.lease);
        Ok(params![
            computer,
            incarnation,
            session,
            self.source,
            self.names.product(&item.product)?,
            self.names.person(&item.person),
            real_person,
            it.program,
            it.version,
            it.started_ms,
            it.ended_ms,
            signed(it.duration_ms),
            signed(it.unseated_ms),
            lease_made_in,
            lease_made_by
        ]
        .to_vec())
    }

    /// Appends leases; those that are new.
    pub(super) fn leases<'b>(
        &mut self,
        told: &[Told<'b, EndedLease>],
    ) -> Result<Vec<Told<'b, EndedLease>>> {
        self.of_server("history_leases", &LEASES, told, |it| {
            let (ticket_made_in, ticket_made_by) = made(it.ticket);
            let (with_made_in, with_made_by) = made(it.with);
            let run = it.session.as_ref();
            let columns = params![
                it.seats,
                it.program,
                run.map(|run| run.incarnation.cast_signed()),
                run.map(|run| run.session.cast_signed()),
                it.kept,
                it.granted_ms,
                it.ended_ms,
                signed(it.held_ms),
                it.cause,
                ticket_made_in,
                ticket_made_by,
                with_made_in,
                with_made_by,
                it.retry
            ];
            (it.key, columns.to_vec())
        })
    }

    /// Appends denials; those that are new.
    pub(super) fn denials<'b>(
        &mut self,
        told: &[Told<'b, EndedDenial>],
    ) -> Result<Vec<Told<'b, EndedDenial>>> {
        self.of_server("history_denials", &DENIALS, told, |it| {
            let columns = params![
                it.seats,
                it.reason,
                signed(it.count),
                signed(it.retries),
                it.waits,
                it.first_ms,
                it.last_ms
            ];
            (it.key, columns.to_vec())
        })
    }

    /// Appends waits; those that are new.
    pub(super) fn waits<'b>(
        &mut self,
        told: &[Told<'b, EndedWait>],
    ) -> Result<Vec<Told<'b, EndedWait>>> {
        self.of_server("history_waits", &WAITS, told, |it| {
            let (lease_made_in, lease_made_by) = made(it.lease);
            let (with_made_in, with_made_by) = made(it.with);
            let columns = params![
                it.seats,
                it.priority,
                it.outcome,
                it.reason,
                lease_made_in,
                lease_made_by,
                with_made_in,
                with_made_by,
                it.queued_ms,
                it.decided_ms,
                it.waited_ms.map(signed),
                it.retry
            ];
            (it.key, columns.to_vec())
        })
    }

    /// Appends items whose key is a life of the server's data and an event.
    fn of_server<'b, T>(
        &mut self,
        table: &str,
        columns: &[Column],
        told: &[Told<'b, T>],
        says: impl Fn(&T) -> (Made, Vec<Param>),
    ) -> Result<Vec<Told<'b, T>>> {
        let (mut keys, mut rows) = (Vec::new(), Vec::new());
        for (item, it) in told {
            let (key, more) = says(it);
            let (made_in, made_by) = (i64::from(key.incarnation), signed(key.event));
            keys.push([self.source, made_in, made_by]);
            let mut row = params![
                self.source,
                made_in,
                made_by,
                item.at.incarnation,
                signed(item.at.event),
                self.names.product(&item.product)?,
                self.names.person(&item.person),
                self.names.computer(&item.computer)
            ]
            .to_vec();
            row.extend(more);
            rows.push(row);
        }
        let all: Vec<Column> = COMMON.iter().chain(columns).copied().collect();
        let is_new = put(self.db, table, &all, &keys, &rows)?;
        let new = told.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
        Ok(new.map(|(told, _)| *told).collect())
    }
}

/// Puts rows into a table whose first three columns are its key; for each, whether it is new. Of those
/// with the same key the first is.
fn put(
    db: &Db,
    table: &str,
    columns: &[Column],
    keys: &[Key],
    rows: &[Vec<Param>],
) -> Result<Vec<bool>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let arrays = (1..).zip(columns);
    let arrays: Vec<String> = arrays
        .map(|(place, (_, of))| format!("${place}::{of}[]"))
        .collect();
    let (names, key, arrays) = (names.join(", "), names[..3].join(", "), arrays.join(", "));
    let sql = format!(
        "INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING \
         RETURNING {key}"
    );
    let mut added: HashSet<Key> = HashSet::with_capacity(rows.len());
    db.each(&sql, Arrays::of(rows).params(), |row| {
        added.insert([row.get(0)?, row.get(1)?, row.get(2)?]);
        Ok(())
    })?;
    let is_new: Vec<bool> = keys.iter().map(|key| added.remove(key)).collect();
    let there = rows.iter().zip(&is_new).filter(|(_, is_new)| !**is_new);
    let there: Vec<Vec<Param>> = there.map(|(row, _)| place_of(columns, row)).collect();
    are_back(db, table, columns, &there)?;
    Ok(is_new)
}

/// The columns that say where a row was collected.
const PLACE: [&str; 3] = ["source", "incarnation", "event"];

/// The key of a row, and where it was collected.
fn place_of(columns: &[Column], row: &[Param]) -> Vec<Param> {
    let of = |wanted: &&str| {
        let at = columns.iter().position(|(name, _)| name == wanted);
        at.and_then(|at| row.get(at)).cloned()
    };
    let place = PLACE.iter().filter_map(of);
    row.iter().take(3).cloned().chain(place).collect()
}

/// Removes the mark of items that were gone and are collected again; such an item is never new.
fn are_back(db: &Db, table: &str, columns: &[Column], there: &[Vec<Param>]) -> Result<()> {
    if there.is_empty() {
        return Ok(());
    }
    let [one, two, three] = match columns {
        [(one, _), (two, _), (three, _), ..] => [*one, *two, *three],
        _ => return Err(Error::Missing),
    };
    let sql = format!(
        "UPDATE {table} t SET gone_ms = NULL, source = k.source_now, incarnation = k.incarnation, \
         event = k.event FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
         $5::bigint[], $6::bigint[]) AS k(one, two, three, source_now, incarnation, event) \
         WHERE t.{one} = k.one AND t.{two} = k.two AND t.{three} = k.three \
         AND t.gone_ms IS NOT NULL"
    );
    db.run(&sql, Arrays::of(there).params()).map(drop)
}

fn made(made: Option<Made>) -> (Option<u32>, Option<i64>) {
    (
        made.map(|made| made.incarnation),
        made.map(|made| signed(made.event)),
    )
}
