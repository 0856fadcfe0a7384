//! What has ended, kind by kind.

use rusqlite::{Connection, Row, params};
use usher_core::ledger::{
    ComputerId, DecisionId, EventNumber, Incarnation, LeaseId, SubjectId, TicketId,
};

use super::point::HistoryPoint;
use crate::base::columns::from_i64;

/// Something that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedItem {
    /// The event that ended it.
    pub at: HistoryPoint,
    /// Product id.
    pub product: String,
    /// The person who is counted.
    pub person: SubjectId,
    /// The computer.
    pub computer: ComputerId,
    /// What has ended.
    pub what: Finished,
}

/// What has ended. Instants are Unix milliseconds, wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// A session that an agent saw.
    Session(FinishedSession),
    /// A lease of any holder.
    Lease(FinishedLease),
    /// A refusal, with its repeats.
    Refusal(FinishedRefusal),
    /// A wait for a seat.
    Wait(FinishedWait),
}

/// A session that has ended. Its computer, the incarnation of its agent and its number are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedSession {
    /// The incarnation of its agent.
    pub agent_incarnation: u64,
    /// The number that the agent gave it.
    pub session: u64,
    /// The program that began it, by file name.
    pub program: String,
    /// The version of the program, if the agent knows it.
    pub version: Option<String>,
    /// The account that it ran as, if that is another.
    pub real_person: Option<SubjectId>,
    /// When it began, by the clock of its computer.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: i64,
    /// How long it lasted, in milliseconds.
    pub duration_ms: u64,
    /// For how many of these milliseconds it had no seat.
    pub unseated_ms: u64,
    /// The lease that it held.
    pub lease: Option<LeaseId>,
}

/// A lease that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedLease {
    /// Its id, unique on its server.
    pub id: LeaseId,
    /// Seats held.
    pub seats: u32,
    /// The program that it was for, if the request named one.
    pub program: Option<String>,
    /// The incarnation of the agent and the number of the session that held it; none: it was
    /// checked out by name.
    pub session: Option<(u64, u64)>,
    /// When it was granted.
    pub granted_at: i64,
    /// When it ended.
    pub ended_at: i64,
    /// How long it was held, in milliseconds.
    pub held_ms: u64,
    /// Why it ended, in the word of the tables.
    pub cause: String,
    /// The ticket that waited for it.
    pub ticket: Option<TicketId>,
    /// The first of the leases that it was held with, if the request was for several products.
    pub with: Option<LeaseId>,
    /// Whether the same person had been refused shortly before.
    pub retry: bool,
}

/// A refusal and its repeats within a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedRefusal {
    /// Its id, unique on its server.
    pub id: DecisionId,
    /// Seats asked for.
    pub seats: u32,
    /// Why it was refused, in the word of the tables.
    pub reason: String,
    /// How many times it was repeated within the minute, the first included.
    pub count: u64,
    /// How many of these followed an earlier refusal of the same person, computer and product.
    pub retries: u64,
    /// Whether the request would have waited; none: that was not recorded.
    pub waits: Option<bool>,
    /// When it was first refused.
    pub first_at: i64,
    /// When it was last refused.
    pub last_at: i64,
}

/// A wait for a seat that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedWait {
    /// The id of its ticket, unique on its server.
    pub id: TicketId,
    /// Seats asked for.
    pub seats: u32,
    /// The priority; a higher one was served first.
    pub priority: i8,
    /// How it ended: `granted`, `denied`, `expired` or `cancelled`.
    pub outcome: String,
    /// Why it was refused, in the word of the tables.
    pub reason: Option<String>,
    /// The lease that was granted to it.
    pub lease: Option<LeaseId>,
    /// The first of the tickets that it waited with.
    pub with: Option<TicketId>,
    /// When it was queued.
    pub queued_at: i64,
    /// When the wait ended; none: that was not recorded.
    pub decided_at: Option<i64>,
    /// How long it waited, in milliseconds; none: that was not recorded.
    pub waited_ms: Option<u64>,
    /// Whether the same person had been refused shortly before.
    pub retry: bool,
}

/// Reads what has ended from a row.
type Read = fn(&Row<'_>) -> rusqlite::Result<Finished>;

/// What ended after an event and up to another, at most so many and one more of each kind, each
/// kind in its order.
pub(super) fn between(
    connection: &Connection,
    after: u64,
    end: u64,
    limit: u32,
) -> rusqlite::Result<Vec<FinishedItem>> {
    let kinds: [(&str, Read); 4] = [
        (SESSIONS, session),
        (LEASES, lease),
        (REFUSALS, refusal),
        (WAITS, wait),
    ];
    let mut items = Vec::new();
    for (sql, read) in kinds {
        let mut statement = connection.prepare_cached(sql)?;
        let bounds = params![
            after.cast_signed(),
            end.cast_signed(),
            limit.saturating_add(1)
        ];
        let rows = statement.query_map(bounds, |row| {
            Ok(FinishedItem {
                at: HistoryPoint {
                    // Which life it was is known by all of them together.
                    incarnation: Incarnation(0),
                    event: EventNumber(number(row, 0)?),
                },
                product: row.get(1)?,
                person: SubjectId(number(row, 2)?),
                computer: ComputerId(number(row, 3)?),
                what: read(row)?,
            })
        })?;
        for row in rows {
            items.push(row?);
        }
    }
    Ok(items)
}

pub(super) const SESSIONS: &str = "SELECT s.number, p.id, s.subject, s.computer, s.sender_incarnation, \
    s.session, s.program, s.version, s.real_subject, s.started_at, s.ended_at, s.duration_ms, \
    s.unseated_ms, s.lease, s.lease_incarnation \
    FROM sessions s JOIN products p ON p.number = s.product \
    WHERE s.number > ?1 AND s.number <= ?2 ORDER BY s.number LIMIT ?3";

fn session(row: &Row<'_>) -> rusqlite::Result<Finished> {
    let real: Option<i64> = row.get(8)?;
    Ok(Finished::Session(FinishedSession {
        agent_incarnation: number(row, 4)?,
        session: number(row, 5)?,
        program: row.get(6)?,
        version: row.get(7)?,
        real_person: real.map(|id| SubjectId(from_i64(id))),
        started_at: row.get(9)?,
        ended_at: row.get(10)?,
        duration_ms: number(row, 11)?,
        unseated_ms: number(row, 12)?,
        lease: id_at(row, 13, 14)?.map(|(number, incarnation)| LeaseId {
            incarnation,
            number,
        }),
    }))
}

pub(super) const LEASES: &str = "SELECT l.ended, p.id, l.subject, l.computer, l.number, l.incarnation, \
    l.seats, l.program, l.session, l.session_incarnation, l.granted_at, l.ended_at, l.held_ms, \
    l.cause, l.ticket, l.ticket_incarnation, l.bundle, l.repeats IS NOT NULL \
    FROM products p CROSS JOIN leases l INDEXED BY leases_ended \
    WHERE l.product = p.number AND l.ended IS NOT NULL AND l.ended > ?1 AND l.ended <= ?2 \
    ORDER BY l.ended LIMIT ?3";

fn lease(row: &Row<'_>) -> rusqlite::Result<Finished> {
    let incarnation = Incarnation(row.get(5)?);
    let session: Option<i64> = row.get(8)?;
    let with: Option<i64> = row.get(16)?;
    let agent_incarnation = number(row, 9)?;
    Ok(Finished::Lease(FinishedLease {
        id: LeaseId {
            incarnation,
            number: EventNumber(number(row, 4)?),
        },
        seats: row.get(6)?,
        program: row.get(7)?,
        session: session.map(|session| (agent_incarnation, from_i64(session))),
        granted_at: row.get(10)?,
        ended_at: row.get(11)?,
        held_ms: number(row, 12)?,
        cause: row.get(13)?,
        ticket: id_at(row, 14, 15)?.map(|(number, incarnation)| TicketId {
            incarnation,
            number,
        }),
        with: with.map(|first| LeaseId {
            incarnation,
            number: EventNumber(from_i64(first)),
        }),
        retry: row.get(17)?,
    }))
}

pub(super) const REFUSALS: &str = "SELECT d.number, p.id, d.subject, d.computer, d.incarnation, d.seats, \
    d.reason, d.count, d.retries, d.waits, d.first_at, d.last_at \
    FROM denials d JOIN products p ON p.number = d.product \
    WHERE d.number > ?1 AND d.number <= ?2 ORDER BY d.number LIMIT ?3";

fn refusal(row: &Row<'_>) -> rusqlite::Result<Finished> {
    Ok(Finished::Refusal(FinishedRefusal {
        id: DecisionId {
            incarnation: Incarnation(row.get(4)?),
            number: EventNumber(number(row, 0)?),
        },
        seats: row.get(5)?,
        reason: row.get(6)?,
        count: number(row, 7)?,
        retries: number(row, 8)?,
        waits: row.get(9)?,
        first_at: row.get(10)?,
        last_at: row.get(11)?,
    }))
}

pub(super) const WAITS: &str = "SELECT t.settled, p.id, t.subject, t.computer, t.number, t.incarnation, \
    t.seats, t.priority, t.settled_as, t.denied_for, t.settled_lease, \
    t.settled_lease_incarnation, t.bundle, \
    t.queued_at, t.decided_at, t.waited_ms, t.repeats IS NOT NULL \
    FROM tickets t JOIN products p ON p.number = t.product \
    WHERE t.settled > ?1 AND t.settled <= ?2 ORDER BY t.settled LIMIT ?3";

fn wait(row: &Row<'_>) -> rusqlite::Result<Finished> {
    let incarnation = Incarnation(row.get(5)?);
    let with: Option<i64> = row.get(12)?;
    let waited: Option<i64> = row.get(15)?;
    Ok(Finished::Wait(FinishedWait {
        id: TicketId {
            incarnation,
            number: EventNumber(number(row, 4)?),
        },
        seats: row.get(6)?,
        priority: row.get(7)?,
        outcome: row.get(8)?,
        reason: row.get(9)?,
        lease: id_at(row, 10, 11)?.map(|(number, incarnation)| LeaseId {
            incarnation,
            number,
        }),
        with: with.map(|first| TicketId {
            incarnation,
            number: EventNumber(from_i64(first)),
        }),
        queued_at: row.get(13)?,
        decided_at: row.get(14)?,
        waited_ms: waited.map(from_i64),
        retry: row.get(16)?,
    }))
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(from_i64)
}

/// An id in two columns: its number, and the life that made it.
fn id_at(
    row: &Row<'_>,
    number: usize,
    incarnation: usize,
) -> rusqlite::Result<Option<(EventNumber, Incarnation)>> {
    let number: Option<i64> = row.get(number)?;
    let incarnation: Option<u32> = row.get(incarnation)?;
    Ok(number
        .zip(incarnation)
        .map(|(number, incarnation)| (EventNumber(from_i64(number)), Incarnation(incarnation))))
}
