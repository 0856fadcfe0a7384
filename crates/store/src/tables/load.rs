//! Loads the ledger from a data file: the rows of the tables, then the journal's events.

use std::path::Path;

use rusqlite::{Connection, Row, params};
use usher_core::ledger::*;

use crate::base::columns::{from_i64, read_bound, read_draws, read_holders};
use crate::base::error::StoreError;
use crate::base::meta::{self, number};
use crate::base::schema::as_of;
use crate::tables::adopted::read_adopted;
use crate::tables::details;
use crate::tables::journal::{self, frame, unframed};

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

const PRODUCTS: &str = "SELECT number, id, enabled, max_ttl_seconds, queue_limit, \
                        shared_by_subject, document, created_at, removed, impossible_seconds \
                        FROM products";

fn product(row: &Row<'_>) -> rusqlite::Result<(ProductNumber, Listing)> {
    let spec = ProductSpec {
        id: row.get(1)?,
        enabled: row.get(2)?,
        max_ttl_seconds: row.get(3)?,
        queue_limit: row.get(4)?,
        shared_by_subject: row.get(5)?,
        document: row.get(6)?,
        impossible_seconds: row.get(9)?,
    };
    let listing = Listing {
        spec,
        created_at: Wall(row.get(7)?),
        removed: row.get(8)?,
    };
    Ok((ProductNumber(from_i64(row.get(0)?)), listing))
}

const ENTITLEMENTS: &str = "SELECT number, product, seats, overdraft, valid_from, from_day, \
                            from_zone, valid_to, to_day, to_zone, allotment FROM entitlements";

fn entitlement(row: &Row<'_>) -> rusqlite::Result<Entitlement> {
    Ok(Entitlement {
        number: EntitlementNumber(from_i64(row.get(0)?)),
        product: ProductNumber(from_i64(row.get(1)?)),
        model: Model::Concurrent {
            seats: row.get(2)?,
            overdraft: row.get(3)?,
        },
        from: bound(row, 4)?,
        to: bound(row, 7)?,
        allotment: AllotmentNumber(from_i64(row.get(10)?)),
    })
}

/// One end of a validity, from three columns on.
fn bound(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Bound>> {
    read_bound((row.get(first)?, row.get(first + 1)?, row.get(first + 2)?))
}

const ALLOTMENTS: &str = "SELECT number, product, entitlement, seats, valid_from, from_day, \
                          from_zone, valid_to, to_day, to_zone, deadline FROM allotments \
                          ORDER BY number";

fn allotment(row: &Row<'_>) -> rusqlite::Result<Allotment> {
    Ok(Allotment {
        number: AllotmentNumber(from_i64(row.get(0)?)),
        product: ProductNumber(from_i64(row.get(1)?)),
        entitlement: EntitlementNumber(from_i64(row.get(2)?)),
        seats: row.get(3)?,
        from: bound(row, 4)?,
        to: bound(row, 7)?,
        deadline: row
            .get::<_, Option<i64>>(10)?
            .map(|ms| Steady(from_i64(ms))),
    })
}

const LEASES: &str = "SELECT number, incarnation, product, subject, computer, seats, ttl_seconds, \
                      deadline, granted_at, granted, draws, session, ticket, ticket_incarnation, \
                      holders, graced, program, session_incarnation, bundle, bundle_count \
                      FROM leases INDEXED BY leases_held \
                      WHERE ended IS NULL ORDER BY number";

fn lease(row: &Row<'_>) -> rusqlite::Result<Lease> {
    let ticket: Option<i64> = row.get(12)?;
    let ticket_incarnation: Option<u32> = row.get(13)?;
    let session: Option<i64> = row.get(11)?;
    let incarnation: i64 = row.get(17)?;
    let computer = ComputerId(from_i64(row.get(4)?));
    let draws = row.get_ref(10)?.as_str()?;
    let holders = row.get_ref(14)?.as_str()?;
    Ok(Lease {
        id: LeaseId {
            incarnation: Incarnation(row.get(1)?),
            number: EventNumber(from_i64(row.get(0)?)),
        },
        product: ProductNumber(from_i64(row.get(2)?)),
        subject: SubjectId(from_i64(row.get(3)?)),
        computer,
        seats: row.get(5)?,
        ttl_seconds: row.get(6)?,
        deadline: Steady(from_i64(row.get(7)?)),
        granted_at: Wall(row.get(8)?),
        granted: Steady(from_i64(row.get(9)?)),
        draws: read_draws(draws),
        session: session.map(|session| SessionKey {
            computer,
            session: from_i64(session),
            incarnation: from_i64(incarnation),
        }),
        ticket: ticket
            .zip(ticket_incarnation)
            .map(|(number, incarnation)| TicketId {
                incarnation: Incarnation(incarnation),
                number: EventNumber(from_i64(number)),
            }),
        holders: read_holders(holders),
        graced: row.get(15)?,
        program: row.get(16)?,
        bundle: bundle(row, 18)?,
    })
}

/// What a lease or ticket is one with, from two columns on. One that it is no part of is none.
fn bundle(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Bundle>> {
    let own = EventNumber(from_i64(row.get(0)?));
    let number: Option<i64> = row.get(first)?;
    let count: Option<u8> = row.get(first + 1)?;
    let bundle = number.zip(count).map(|(number, count)| Bundle {
        first: EventNumber(from_i64(number)),
        count,
    });
    let is_whole = |bundle: &Bundle| {
        (2..=BUNDLE_LIMIT).contains(&usize::from(bundle.count))
            && bundle.numbers().any(|number| number == own)
    };
    Ok(bundle.filter(is_whole))
}

const TICKETS: &str = "SELECT number, incarnation, product, subject, computer, seats, \
                       ttl_seconds, priority, queued_at, state, until, lease, lease_incarnation, \
                       program, aside_since, deny_at, denied_for, decision, decision_incarnation, \
                       bundle, bundle_count FROM tickets WHERE forgotten = 0";

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let until: Option<i64> = row.get(10)?;
    let instant = Steady(from_i64(until.unwrap_or(0)));
    let state = match row.get_ref(9)?.as_str()? {
        "waiting" => TicketState::Waiting {
            alive_until: instant,
            aside: row
                .get::<_, Option<i64>>(14)?
                .map(from_i64)
                .map(|since| {
                    Ok::<_, rusqlite::Error>(Aside {
                        since: Steady(since),
                        deny_at: row
                            .get::<_, Option<i64>>(15)?
                            .map(|at| Steady(from_i64(at))),
                    })
                })
                .transpose()?,
        },
        "denied" => TicketState::Denied {
            decision: DecisionId {
                incarnation: Incarnation(row.get(18)?),
                number: EventNumber(from_i64(row.get(17)?)),
            },
            reason: Reason::of_word(row.get_ref(16)?.as_str()?).unwrap_or(Reason::NoSeat),
            forget_at: instant,
        },
        "granted" => TicketState::Granted {
            lease: LeaseId {
                incarnation: Incarnation(row.get(12)?),
                number: EventNumber(from_i64(row.get(11)?)),
            },
            claim_until: until.map(|_| instant),
        },
        "cancelled" => TicketState::Cancelled { forget_at: instant },
        _ => TicketState::Expired { forget_at: instant },
    };
    Ok(Ticket {
        id: TicketId {
            incarnation: Incarnation(row.get(1)?),
            number: EventNumber(from_i64(row.get(0)?)),
        },
        product: ProductNumber(from_i64(row.get(2)?)),
        subject: SubjectId(from_i64(row.get(3)?)),
        computer: ComputerId(from_i64(row.get(4)?)),
        seats: row.get(5)?,
        ttl_seconds: row.get(6)?,
        priority: row.get(7)?,
        queued_at: Wall(row.get(8)?),
        state,
        program: row.get(13)?,
        bundle: bundle(row, 19)?,
    })
}

const UNSEATED: &str = "SELECT computer, session, product, subject, ttl_seconds, deadline, reason, session_incarnation \
     FROM unseated";

fn unseated(row: &Row<'_>) -> rusqlite::Result<Unseated> {
    Ok(Unseated {
        session: SessionKey {
            computer: ComputerId(from_i64(row.get(0)?)),
            session: from_i64(row.get(1)?),
            incarnation: from_i64(row.get(7)?),
        },
        product: ProductNumber(from_i64(row.get(2)?)),
        subject: SubjectId(from_i64(row.get(3)?)),
        ttl_seconds: row.get(4)?,
        deadline: Steady(from_i64(row.get(5)?)),
        reason: Reason::of_word(row.get_ref(6)?.as_str()?).unwrap_or(Reason::NoSeat),
    })
}

const DENIALS: &str = "SELECT number, incarnation, product, subject, computer, seats, reason, \
                       scene_seats, scene_in_use, scene_queued, first, count, last_steady FROM denials \
                       WHERE last_steady > ?1 ORDER BY number";

fn denial(row: &Row<'_>) -> rusqlite::Result<Repeated> {
    let denial = Denial {
        id: DecisionId {
            incarnation: Incarnation(row.get(1)?),
            number: EventNumber(from_i64(row.get(0)?)),
        },
        product: ProductNumber(from_i64(row.get(2)?)),
        subject: SubjectId(from_i64(row.get(3)?)),
        computer: ComputerId(from_i64(row.get(4)?)),
        seats: row.get(5)?,
        reason: Reason::of_word(row.get_ref(6)?.as_str()?).unwrap_or(Reason::NoSeat),
        scene: Scene {
            seats: from_i64(row.get(7)?),
            in_use: from_i64(row.get(8)?),
            queued: row.get(9)?,
        },
    };
    Ok(Repeated {
        denial,
        first: Steady(from_i64(row.get(10)?)),
        last: Steady(from_i64(row.get(12)?)),
        count: from_i64(row.get(11)?),
    })
}

/// An answer of a version that this one cannot read is left out: its command is done again.
fn answer(row: &Row<'_>) -> rusqlite::Result<Option<(u128, u64, Reply, Steady)>> {
    let key: Vec<u8> = row.get(0)?;
    let reply: Vec<u8> = row.get(2)?;
    let framed: bool = row.get(4)?;
    let read = || {
        let key = u128::from_be_bytes(key.as_slice().try_into().ok()?);
        let reply = match framed {
            true => {
                frame::take(&reply)
                    .ok()
                    .filter(|(_, rest)| rest.is_empty())?
                    .0
            }
            false => unframed::reply(&reply).ok()?,
        };
        Some((key, reply))
    };
    let Some((key, reply)) = read() else {
        return Ok(None);
    };
    Ok(Some((
        key,
        from_i64(row.get(1)?),
        reply,
        Steady(from_i64(row.get(3)?)),
    )))
}
