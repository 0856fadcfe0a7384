//! Rows of the tables as the ledger's records: of each kind the columns that are read, and what they
//! make.

use rusqlite::Row;
use usher_core::ledger::*;

use crate::base::columns::{from_i64, read_bound, read_draws, read_holders};
use crate::tables::journal::{frame, unframed};

pub(super) const PRODUCTS: &str = "SELECT number, id, enabled, max_ttl_seconds, queue_limit, \
                        shared_by_subject, document, created_at, removed, impossible_seconds \
                        FROM products";

pub(super) fn product(row: &Row<'_>) -> rusqlite::Result<(ProductNumber, Listing)> {
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

pub(super) const ENTITLEMENTS: &str = "SELECT number, product, seats, overdraft, valid_from, from_day, \
                            from_zone, valid_to, to_day, to_zone, allotment FROM entitlements";

pub(super) fn entitlement(row: &Row<'_>) -> rusqlite::Result<Entitlement> {
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

pub(super) const ALLOTMENTS: &str = "SELECT number, product, entitlement, seats, valid_from, from_day, \
                          from_zone, valid_to, to_day, to_zone, deadline FROM allotments \
                          ORDER BY number";

pub(super) fn allotment(row: &Row<'_>) -> rusqlite::Result<Allotment> {
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

pub(super) const LEASES: &str = "SELECT number, incarnation, product, subject, computer, seats, ttl_seconds, \
                      deadline, granted_at, granted, draws, session, ticket, ticket_incarnation, \
                      holders, graced, program, session_incarnation, bundle, bundle_count \
                      FROM leases INDEXED BY leases_held \
                      WHERE ended IS NULL ORDER BY number";

pub(super) fn lease(row: &Row<'_>) -> rusqlite::Result<Lease> {
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

pub(super) const TICKETS: &str = "SELECT number, incarnation, product, subject, computer, seats, \
                       ttl_seconds, priority, queued_at, state, until, lease, lease_incarnation, \
                       program, aside_since, deny_at, denied_for, decision, decision_incarnation, \
                       bundle, bundle_count FROM tickets WHERE forgotten = 0";

pub(super) fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
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

pub(super) const UNSEATED: &str = "SELECT computer, session, product, subject, ttl_seconds, deadline, reason, session_incarnation \
     FROM unseated";

pub(super) fn unseated(row: &Row<'_>) -> rusqlite::Result<Unseated> {
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

pub(super) const DENIALS: &str = "SELECT number, incarnation, product, subject, computer, seats, reason, \
                       scene_seats, scene_in_use, scene_queued, first, count, last_steady FROM denials \
                       WHERE last_steady > ?1 ORDER BY number";

pub(super) fn denial(row: &Row<'_>) -> rusqlite::Result<Repeated> {
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
pub(super) fn answer(row: &Row<'_>) -> rusqlite::Result<Option<(u128, u64, Reply, Steady)>> {
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
