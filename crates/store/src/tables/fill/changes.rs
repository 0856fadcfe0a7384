//! The table of changes: a row for each change that a command made, and who sent it.

use rusqlite::{Connection, params};
use usher_core::ledger::{Batch, By, Event, EventNumber};

use super::signed;
use crate::base::columns::write_actor;

/// What one event changed.
#[derive(Default)]
struct What {
    word: &'static str,
    product: Option<u64>,
    entitlement: Option<u64>,
    lease: Option<u64>,
    ticket: Option<u64>,
}

/// Writes the changes of a batch, from that event on, with their sender.
pub(super) fn write(
    connection: &Connection,
    batch: &Batch,
    from: EventNumber,
    by: &By,
) -> rusqlite::Result<()> {
    for (number, event) in (batch.first..).zip(batch.events.iter()) {
        if number < from.0 {
            continue;
        }
        // Its own end.
        if matches!(event, Event::Changed { from: other, .. } if *other == from) {
            return Ok(());
        }
        let Some(what) = what(event).filter(|_| event.is_change()) else {
            continue;
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO changes (number, at, actor_kind, actor, request, what, \
                 product, entitlement, lease, ticket) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                signed(number),
                batch.at.wall.0,
                write_actor(by.kind),
                &*by.id,
                format!("{:016x}", by.request),
                what.word,
                what.product.map(signed),
                what.entitlement.map(signed),
                what.lease.map(signed),
                what.ticket.map(signed)
            ])?;
    }
    Ok(())
}

fn what(event: &Event) -> Option<What> {
    let none = What::default();
    Some(match event {
        Event::ProductPut { product, .. } => What {
            word: "product_put",
            product: Some(product.0),
            ..none
        },
        Event::ProductRemoved { product } => What {
            word: "product_removed",
            product: Some(product.0),
            ..none
        },
        Event::EntitlementPut(entitlement) => What {
            word: "entitlement_put",
            product: Some(entitlement.product.0),
            entitlement: Some(entitlement.number.0),
            ..none
        },
        Event::EntitlementRemoved { entitlement } => What {
            word: "entitlement_removed",
            entitlement: Some(entitlement.0),
            ..none
        },
        Event::Ended { lease, .. } => What {
            word: "checkin",
            lease: Some(lease.0),
            ..none
        },
        Event::TicketChanged { ticket, .. } => What {
            word: "ticket_cancelled",
            ticket: Some(ticket.0),
            ..none
        },
        Event::Reincarnated { .. } => What {
            word: "restored",
            ..none
        },
        Event::Paused => What {
            word: "paused",
            ..none
        },
        Event::Continued => What {
            word: "continued",
            ..none
        },
        _ => return None,
    })
}
