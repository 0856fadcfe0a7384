//! What one event does to the tables.

use rusqlite::{Connection, params};
use usher_core::ledger::{Event, EventNumber, Model, Now};

use super::leases::Leases;
use super::programs::programs;
use super::{signed, tickets};
use crate::base::columns::{write_also, write_bound};
use crate::base::meta::put;
use crate::tables::adopted::{forget_adopted, put_adopted};
use crate::tables::details;
use crate::tables::journal;
use crate::tables::lives;

/// Adds a row, or changes the one that has its key. Not by OR REPLACE: for that SQLite keeps a copy
/// of each page that the statement touches.
fn enter(
    connection: &Connection,
    insert: &str,
    update: &str,
    values: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<()> {
    let added = connection.prepare_cached(insert)?.execute(values)?;
    if added == 0 {
        connection.prepare_cached(update)?.execute(values)?;
    }
    Ok(())
}

/// What one event does to the tables. Numbers are row keys, so doing it twice does it once.
pub(super) fn write(
    connection: &Connection,
    leases: &mut Leases<'_>,
    at: Now,
    number: EventNumber,
    event: &Event,
) -> rusqlite::Result<()> {
    let execute = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql)?.execute(values).map(drop)
    };
    if let Event::ProductPut { .. } | Event::ProductRemoved { .. } = event {
        put(connection, "catalogue_version", number.0)?;
    }
    match event {
        Event::SubjectEntered(s) => enter(
            connection,
            "INSERT OR IGNORE INTO subjects (id, authority, key, name) VALUES (?1, ?2, ?3, ?4)",
            "UPDATE subjects SET authority = ?2, key = ?3, name = ?4 WHERE id = ?1",
            params![signed(s.id.0), &*s.authority, &*s.key, &*s.name],
        ),
        Event::ComputerEntered(c) => enter(
            connection,
            "INSERT OR IGNORE INTO computers (id, key, name, document) VALUES (?1, ?2, ?3, ?4)",
            "UPDATE computers SET key = ?2, name = ?3, document = ?4 WHERE id = ?1",
            params![signed(c.id.0), &*c.key, &*c.name, &*c.document],
        ),
        Event::SubjectForgotten { subject } => execute(
            "DELETE FROM subjects WHERE id = ?1",
            params![signed(subject.0)],
        ),
        Event::ComputerForgotten { computer } => execute(
            "DELETE FROM computers WHERE id = ?1",
            params![signed(computer.0)],
        ),
        Event::ProductPut { product, spec } => execute(
            "INSERT INTO products (number, id, enabled, max_ttl_seconds, queue_limit, \
             shared_by_subject, document, created_at, removed, impossible_seconds) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9) ON CONFLICT (number) DO UPDATE SET \
             enabled = ?3, max_ttl_seconds = ?4, queue_limit = ?5, shared_by_subject = ?6, \
             document = ?7, created_at = CASE removed WHEN 0 THEN created_at ELSE ?8 END, \
             removed = 0, impossible_seconds = ?9",
            params![
                signed(product.0),
                &*spec.id,
                spec.enabled,
                spec.max_ttl_seconds,
                spec.queue_limit,
                spec.shared_by_subject,
                &*spec.document,
                at.wall.0,
                spec.impossible_seconds
            ],
        ),
        Event::ProductRemoved { product } => execute(
            "UPDATE products SET removed = 1 WHERE number = ?1",
            params![signed(product.0)],
        ),
        Event::EntitlementPut(e) => {
            let Model::Concurrent { seats, overdraft } = e.model;
            let (from, from_day, from_zone) = write_bound(e.from.as_ref());
            let (to, to_day, to_zone) = write_bound(e.to.as_ref());
            execute(
                "INSERT OR REPLACE INTO entitlements (number, product, seats, overdraft, \
                 valid_from, from_day, from_zone, valid_to, to_day, to_zone, allotment) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    signed(e.number.0),
                    signed(e.product.0),
                    seats,
                    overdraft,
                    from,
                    from_day,
                    from_zone,
                    to,
                    to_day,
                    to_zone,
                    signed(e.allotment.0)
                ],
            )
        }
        Event::EntitlementRemoved { entitlement } => execute(
            "DELETE FROM entitlements WHERE number = ?1",
            params![signed(entitlement.0)],
        ),
        Event::EntitlementDescribed {
            entitlement,
            details: said,
        } => details::write(connection, *entitlement, said),
        Event::AllotmentPut(a) => {
            let (from, from_day, from_zone) = write_bound(a.from.as_ref());
            let (to, to_day, to_zone) = write_bound(a.to.as_ref());
            execute(
                "INSERT OR REPLACE INTO allotments (number, product, entitlement, seats, \
                 valid_from, from_day, from_zone, valid_to, to_day, to_zone, deadline) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    signed(a.number.0),
                    signed(a.product.0),
                    signed(a.entitlement.0),
                    a.seats,
                    from,
                    from_day,
                    from_zone,
                    to,
                    to_day,
                    to_zone,
                    a.deadline.map(|d| signed(d.0))
                ],
            )
        }
        Event::Granted { lease, scene, ask } => {
            leases.granted(number, lease, *scene, ask.as_ref());
            Ok(())
        }
        Event::Renewed { lease, deadline } => leases.deadline(*lease, *deadline, false),
        Event::Graced { lease, deadline } => leases.deadline(*lease, *deadline, true),
        Event::Redrawn { lease, draws } => leases.redrawn(*lease, draws),
        Event::Ended { lease, cause } => leases.ended(*lease, number, at, *cause),
        Event::Joined { lease, session } => leases.holders(*lease, |holders| {
            if let Err(place) = holders.binary_search(session) {
                holders.insert(place, *session);
            }
        }),
        Event::Left { lease, session } => {
            leases.holders(*lease, |holders| holders.retain(|other| other != session))
        }
        Event::Queued { ticket, scene, ask } => {
            tickets::queued(connection, at, ticket, *scene, ask)?;
            tickets::changed(connection, at, number, ticket.state, number)
        }
        Event::TicketChanged { ticket, state } => {
            tickets::changed(connection, at, *ticket, *state, number)
        }
        Event::TicketForgotten { ticket } => execute(
            "UPDATE tickets SET forgotten = 1 WHERE number = ?1",
            params![signed(ticket.0)],
        ),
        Event::Denied { denial: d, ask } => execute(
            "INSERT OR REPLACE INTO denials (number, incarnation, product, subject, computer, \
             seats, reason, scene_seats, scene_in_use, scene_queued, first, first_at, last_at, \
             count, last_steady, waits, repeats, retries, also) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, 1, ?11, ?13, ?14, \
             ?14 IS NOT NULL, ?15)",
            params![
                signed(number.0),
                d.id.incarnation.0,
                signed(d.product.0),
                signed(d.subject.0),
                signed(d.computer.0),
                d.seats,
                d.reason.word(),
                signed(d.scene.seats),
                signed(d.scene.in_use),
                d.scene.queued,
                signed(at.steady.0),
                at.wall.0,
                ask.waits,
                ask.repeats.map(|denial| signed(denial.0)),
                write_also(&ask.also)
            ],
        ),
        Event::DeniedAgain {
            denial, count, ask, ..
        } => execute(
            "UPDATE denials SET count = ?2, last_at = ?3, last_steady = ?4, \
             retries = retries + ?5 WHERE number = ?1",
            params![
                signed(denial.0),
                signed(*count),
                at.wall.0,
                signed(at.steady.0),
                ask.repeats.is_some()
            ],
        ),
        Event::Unseated(u) => execute(
            "INSERT INTO unseated (computer, session, product, subject, ttl_seconds, deadline, \
             reason, number, since, session_incarnation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (computer, session, session_incarnation) DO UPDATE SET product = ?3, subject = ?4, \
             ttl_seconds = ?5, deadline = ?6, reason = ?7",
            params![
                signed(u.session.computer.0),
                signed(u.session.session),
                signed(u.product.0),
                signed(u.subject.0),
                u.ttl_seconds,
                signed(u.deadline.0),
                u.reason.word(),
                signed(number.0),
                at.wall.0,
                signed(u.session.incarnation)
            ],
        ),
        Event::UnseatedProgram { session, program } => execute(
            "UPDATE unseated SET program = ?4 \
             WHERE computer = ?1 AND session = ?2 AND session_incarnation = ?3",
            params![
                signed(session.computer.0),
                signed(session.session),
                signed(session.incarnation),
                &**program
            ],
        ),
        Event::UnseatedEnded { session } => execute(
            "DELETE FROM unseated WHERE computer = ?1 AND session = ?2 AND session_incarnation = ?3",
            params![
                signed(session.computer.0),
                signed(session.session),
                signed(session.incarnation)
            ],
        ),
        Event::SessionFinished(s) => execute(
            "INSERT OR IGNORE INTO sessions (number, computer, session, sender_incarnation, \
             product, program, version, subject, real_subject, started_at, ended_at, duration_ms, \
             lease, lease_incarnation, unseated_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                signed(number.0),
                signed(s.session.computer.0),
                signed(s.session.session),
                signed(s.session.incarnation),
                signed(s.product.0),
                &*s.program,
                s.version.as_deref(),
                signed(s.subject.0),
                s.real_subject.map(|id| signed(id.0)),
                s.started_at.0,
                s.ended_at.0,
                signed(s.duration_ms),
                s.lease.map(|l| signed(l.number.0)),
                s.lease.map(|l| l.incarnation.0),
                signed(s.unseated_ms)
            ],
        ),
        Event::ProgramsSeen { computer, counts } => {
            for seen in counts {
                programs(connection, at, signed(computer.0), seen)?;
            }
            Ok(())
        }
        Event::Reported {
            computer,
            incarnation,
            sequence,
        } => execute(
            "INSERT OR REPLACE INTO marks (computer, incarnation, sequence) VALUES (?1, ?2, ?3)",
            params![signed(computer.0), signed(*incarnation), signed(*sequence)],
        ),
        Event::Remembered { key, body, reply } => {
            let mut frame = Vec::new();
            journal::frame::put(reply, journal::FORM_OF_ANSWERS, &mut frame)
                .map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
            execute(
                "INSERT OR REPLACE INTO answers (number, key, body, reply, steady, framed) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 1)",
                params![
                    signed(number.0),
                    &key.to_be_bytes()[..],
                    signed(*body),
                    frame,
                    signed(at.steady.0)
                ],
            )?;
            Ok(())
        }
        Event::Reincarnated {
            incarnation,
            hold_until,
        } => {
            put(connection, "incarnation", u64::from(incarnation.0))?;
            put(connection, "life_began", number.0)?;
            lives::begin(connection, number, *incarnation)?;
            forget_adopted(connection)?;
            put(
                connection,
                "hold_until",
                hold_until.map_or(0, |until| until.0),
            )
        }
        // Its rows are made of the events that it names.
        Event::CanarySeated | Event::Changed { .. } => Ok(()),
        Event::Paused => put(connection, "paused", 1),
        Event::Continued => put(connection, "paused", 0),
        Event::Claimed {
            lease,
            session,
            ttl_seconds,
            shared,
        } => leases.claimed(*lease, *session, *ttl_seconds, *shared),
        Event::Rekeyed { lease, from, to } => leases.rekeyed(*lease, *from, *to),
        Event::Adopted { lease, former } => put_adopted(connection, *former, lease.0),
    }
}
