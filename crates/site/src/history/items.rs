//! The rows of what has ended: one row for each item, even if it arrives a second time. An item that is
//! there already stays unchanged, but is no longer marked as gone, because a server has it.

use rusqlite::{Connection, Result, params};

use super::known::{self, Key};
use super::names::Names;
use crate::collected::{EndedDenial, EndedLease, EndedSession, EndedWait, HistoryItem, Made};
use crate::columns::signed;

/// An item of a batch with what it says.
pub(super) type Told<'b, T> = (&'b HistoryItem, &'b T);

/// What is new, with the number of its product.
pub(super) type New<'b, T> = (i64, &'b T);

/// Where items come from.
pub(super) struct Teller<'n, 'c> {
    pub(super) connection: &'c Connection,
    pub(super) source: i64,
    pub(super) names: &'n mut Names<'c>,
}

/// What a row of a session is known by, and where it is.
struct SessionPlace {
    product: i64,
    key: Key,
}

impl Teller<'_, '_> {
    /// Appends sessions; those that are new.
    pub(super) fn sessions<'b>(
        &mut self,
        told: &[Told<'b, EndedSession>],
    ) -> Result<Vec<New<'b, EndedSession>>> {
        let mut keys = Vec::with_capacity(told.len());
        for (_, it) in told {
            let computer = self.names.computer_of(&it.key.computer)?;
            let [incarnation, session] = [it.key.incarnation, it.key.session];
            keys.push([computer, incarnation.cast_signed(), session.cast_signed()]);
        }
        let is_new = known::enter(self.connection, &keys)?;
        let mut new = Vec::with_capacity(told.len());
        for ((told, key), is_new) in told.iter().zip(keys).zip(is_new) {
            match is_new {
                true => {
                    let product = self.names.product(&told.0.product)?;
                    new.push((SessionPlace { product, key }, *told));
                }
                false => self.is_back(SESSION_IS_BACK, key, told.0)?,
            }
        }
        // So that each page of the table is gone to once.
        new.sort_unstable_by_key(|(place, (_, it))| (place.product, it.started_ms, place.key));
        self.put_sessions(&new)?;
        let new = new.into_iter();
        Ok(new.map(|(place, (_, it))| (place.product, it)).collect())
    }

    fn put_sessions(&self, new: &[(SessionPlace, Told<'_, EndedSession>)]) -> Result<()> {
        let mut insert = self.connection.prepare_cached(PUT_SESSION)?;
        for (SessionPlace { product, key }, (item, it)) in new {
            let [computer, incarnation, session] = key;
            let real_person = it.real_person.as_deref();
            let (lease_made_in, lease_made_by) = made(it.lease);
            insert.execute(params![
                product,
                it.started_ms,
                computer,
                incarnation,
                session,
                it.ended_ms,
                self.names.person(&item.person),
                signed(it.unseated_ms),
                lease_made_in,
                lease_made_by,
                self.source,
                item.at.incarnation,
                signed(item.at.event),
                real_person.and_then(|id| self.names.person(id)),
                signed(it.duration_ms),
                it.program,
                it.version,
            ])?;
        }
        Ok(())
    }

    /// Appends leases; those that are new.
    pub(super) fn leases<'b>(
        &mut self,
        told: &[Told<'b, EndedLease>],
    ) -> Result<Vec<New<'b, EndedLease>>> {
        let mut insert = self.connection.prepare_cached(PUT_LEASE)?;
        let mut new = Vec::with_capacity(told.len());
        for (item, it) in told {
            let product = self.names.product(&item.product)?;
            let key = self.key(it.key);
            let [source, made_in, made_by] = key;
            let run = it.session.as_ref();
            let (ticket_made_in, ticket_made_by) = made(it.ticket);
            let (with_made_in, with_made_by) = made(it.with);
            let added = insert.execute(params![
                source,
                made_in,
                made_by,
                item.at.incarnation,
                signed(item.at.event),
                product,
                self.names.person(&item.person),
                self.names.computer(&item.computer),
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
                it.retry,
            ])?;
            match added > 0 {
                true => new.push((product, *it)),
                false => self.is_back(LEASE_IS_BACK, key, item)?,
            }
        }
        Ok(new)
    }

    /// Appends denials; how many are new.
    pub(super) fn denials(&mut self, told: &[Told<'_, EndedDenial>]) -> Result<u64> {
        let mut insert = self.connection.prepare_cached(PUT_DENIAL)?;
        let mut new = 0;
        for (item, it) in told {
            let key = self.key(it.key);
            let [source, made_in, made_by] = key;
            let added = insert.execute(params![
                source,
                made_in,
                made_by,
                item.at.incarnation,
                signed(item.at.event),
                self.names.product(&item.product)?,
                self.names.person(&item.person),
                self.names.computer(&item.computer),
                it.seats,
                it.reason,
                signed(it.count),
                signed(it.retries),
                it.waits,
                it.first_ms,
                it.last_ms,
            ])?;
            match added > 0 {
                true => new += 1,
                false => self.is_back(DENIAL_IS_BACK, key, item)?,
            }
        }
        Ok(new)
    }

    /// Appends waits; how many are new.
    pub(super) fn waits(&mut self, told: &[Told<'_, EndedWait>]) -> Result<u64> {
        let mut insert = self.connection.prepare_cached(PUT_WAIT)?;
        let mut new = 0;
        for (item, it) in told {
            let key = self.key(it.key);
            let [source, made_in, made_by] = key;
            let (lease_made_in, lease_made_by) = made(it.lease);
            let (with_made_in, with_made_by) = made(it.with);
            let added = insert.execute(params![
                source,
                made_in,
                made_by,
                item.at.incarnation,
                signed(item.at.event),
                self.names.product(&item.product)?,
                self.names.person(&item.person),
                self.names.computer(&item.computer),
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
                it.retry,
            ])?;
            match added > 0 {
                true => new += 1,
                false => self.is_back(WAIT_IS_BACK, key, item)?,
            }
        }
        Ok(new)
    }

    /// The key of what the server made.
    fn key(&self, made: Made) -> Key {
        [self.source, made.incarnation.into(), signed(made.event)]
    }

    /// Removes the mark of an item that was gone and is collected again; such an item is never new.
    fn is_back(&self, sql: &str, [one, two, three]: Key, item: &HistoryItem) -> Result<()> {
        let (incarnation, event) = (item.at.incarnation, signed(item.at.event));
        self.connection
            .prepare_cached(sql)?
            .execute(params![one, two, three, self.source, incarnation, event])
            .map(drop)
    }
}

fn made(made: Option<Made>) -> (Option<u32>, Option<i64>) {
    (
        made.map(|made| made.incarnation),
        made.map(|made| signed(made.event)),
    )
}

const PUT_SESSION: &str = "INSERT INTO history_sessions (product, started_ms, computer, \
    agent_incarnation, session, ended_ms, person, unseated_ms, lease_made_in, lease_made_by, source, \
    incarnation, event, real_person, duration_ms, program, version) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const PUT_LEASE: &str = "INSERT INTO history_leases (source, made_in, made_by, incarnation, event, \
    product, person, computer, seats, program, agent_incarnation, session, kept, granted_ms, ended_ms, \
    held_ms, cause, ticket_made_in, ticket_made_by, with_made_in, with_made_by, retry) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
    ?21, ?22) ON CONFLICT DO NOTHING";
const PUT_DENIAL: &str = "INSERT INTO history_denials (source, made_in, made_by, incarnation, event, \
    product, person, computer, seats, reason, count, retries, waits, first_ms, last_ms) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT DO NOTHING";
const PUT_WAIT: &str = "INSERT INTO history_waits (source, made_in, made_by, incarnation, event, \
    product, person, computer, seats, priority, outcome, reason, lease_made_in, lease_made_by, \
    with_made_in, with_made_by, queued_ms, decided_ms, waited_ms, retry) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
    ON CONFLICT DO NOTHING";

macro_rules! is_back {
    ($table:literal, $key:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET gone_ms = NULL, source = ?4, incarnation = ?5, event = ?6 WHERE ",
            $key,
            " AND gone_ms IS NOT NULL"
        )
    };
    ($table:literal) => {
        is_back!($table, "source = ?1 AND made_in = ?2 AND made_by = ?3")
    };
}

const SESSION_IS_BACK: &str = is_back!(
    "history_sessions",
    "computer = ?1 AND agent_incarnation = ?2 AND session = ?3"
);
const LEASE_IS_BACK: &str = is_back!("history_leases");
const DENIAL_IS_BACK: &str = is_back!("history_denials");
const WAIT_IS_BACK: &str = is_back!("history_waits");
