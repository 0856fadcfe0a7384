//! The table of tickets: one row for each, from the moment when it was queued to its end.

use rusqlite::{Connection, params};
use usher_core::ledger::{Ask, EventNumber, Now, Scene, Ticket, TicketState};

use super::signed;
use crate::base::columns::write_also;

/// Adds the row of a waiting request; [`changed`] writes its state.
pub(super) fn queued(
    connection: &Connection,
    at: Now,
    ticket: &Ticket,
    scene: Scene,
    ask: &Ask,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO tickets (number, incarnation, product, subject, computer, \
             seats, ttl_seconds, priority, queued_at, scene_seats, scene_in_use, scene_queued, \
             state, forgotten, program, queued, repeats, also, bundle, bundle_count) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, '', 0, ?13, ?14, ?15, \
             ?16, ?17, ?18)",
        )?
        .execute(params![
            signed(ticket.id.number.0),
            ticket.id.incarnation.0,
            signed(ticket.product.0),
            signed(ticket.subject.0),
            signed(ticket.computer.0),
            ticket.seats,
            ticket.ttl_seconds,
            ticket.priority,
            ticket.queued_at.0,
            signed(scene.seats),
            signed(scene.in_use),
            scene.queued,
            ticket.program.as_deref(),
            signed(at.steady.0),
            ask.repeats.map(|denial| signed(denial.0)),
            write_also(&ask.also),
            ticket.bundle.map(|bundle| signed(bundle.first.0)),
            ticket.bundle.map(|bundle| bundle.count)
        ])
        .map(drop)
}

/// A ticket is in that state by the event `by`. The first that is not waiting says how long it has
/// waited, and the first by which its seat is fetched or lost for good settles it: what it came to
/// then is kept, whatever becomes of the state.
pub(super) fn changed(
    connection: &Connection,
    at: Now,
    number: EventNumber,
    state: TicketState,
    by: EventNumber,
) -> rusqlite::Result<()> {
    let row = Row::of(state);
    connection
        .prepare_cached(
            "UPDATE tickets SET state = ?2, until = ?3, lease = ?4, lease_incarnation = ?5, \
             aside_since = ?6, deny_at = ?7, denied_for = ?8, decision = ?9, \
             decision_incarnation = ?10, \
             waited_ms = CASE WHEN ?2 = 'waiting' THEN NULL \
                 ELSE coalesce(waited_ms, max(0, ?11 - queued)) END, \
             decided_at = CASE WHEN ?2 = 'waiting' THEN NULL ELSE coalesce(decided_at, ?12) END, \
             settled_as = CASE WHEN ?13 THEN coalesce(settled_as, ?2) END, \
             settled_lease = CASE WHEN settled IS NULL THEN ?4 ELSE settled_lease END, \
             settled_lease_incarnation = \
                 CASE WHEN settled IS NULL THEN ?5 ELSE settled_lease_incarnation END, \
             settled = CASE WHEN ?13 THEN coalesce(settled, ?14) END \
             WHERE number = ?1",
        )?
        .execute(params![
            signed(number.0),
            row.word,
            row.until,
            row.lease.map(|(number, _)| number),
            row.lease.map(|(_, incarnation)| incarnation),
            row.aside_since,
            row.deny_at,
            row.reason,
            row.decision.map(|(number, _)| number),
            row.decision.map(|(_, incarnation)| incarnation),
            signed(at.steady.0),
            at.wall.0,
            is_settled(state),
            signed(by.0)
        ])
        .map(drop)
}

/// Whether the state is final: a granted seat may still pass on until it is fetched.
fn is_settled(state: TicketState) -> bool {
    match state {
        TicketState::Waiting { .. } => false,
        TicketState::Granted { claim_until, .. } => claim_until.is_none(),
        TicketState::Expired { .. }
        | TicketState::Cancelled { .. }
        | TicketState::Denied { .. } => true,
    }
}

/// The columns of a state.
#[derive(Default)]
struct Row {
    word: &'static str,
    until: Option<i64>,
    lease: Option<(i64, u32)>,
    aside_since: Option<i64>,
    deny_at: Option<i64>,
    reason: Option<&'static str>,
    decision: Option<(i64, u32)>,
}

impl Row {
    fn of(state: TicketState) -> Row {
        match state {
            TicketState::Waiting { alive_until, aside } => Row {
                word: "waiting",
                until: Some(signed(alive_until.0)),
                aside_since: aside.map(|aside| signed(aside.since.0)),
                deny_at: aside.and_then(|aside| aside.deny_at).map(|at| signed(at.0)),
                ..Row::default()
            },
            TicketState::Granted { lease, claim_until } => Row {
                word: "granted",
                until: claim_until.map(|until| signed(until.0)),
                lease: Some((signed(lease.number.0), lease.incarnation.0)),
                ..Row::default()
            },
            TicketState::Expired { forget_at } => Row {
                word: "expired",
                until: Some(signed(forget_at.0)),
                ..Row::default()
            },
            TicketState::Cancelled { forget_at } => Row {
                word: "cancelled",
                until: Some(signed(forget_at.0)),
                ..Row::default()
            },
            TicketState::Denied {
                decision,
                reason,
                forget_at,
            } => Row {
                word: "denied",
                until: Some(signed(forget_at.0)),
                reason: Some(reason.word()),
                decision: Some((signed(decision.number.0), decision.incarnation.0)),
                ..Row::default()
            },
        }
    }
}
