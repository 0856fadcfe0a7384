//! Seats that an agent asks for.

use usher_api::{SEATS_LIMIT, ShownLease};
use usher_core::ledger::{ReportItem, Shown, Wall};
use usher_core::people::LocalAccounts;

use super::Item;
use super::fields::{name, needed, session, subject};
use crate::base::limits::TTL_LIMIT_SECONDS;
use crate::wire::input::{check_within, composed};
use crate::wire::records;

pub(super) fn checkout(item: &Item<'_>, local: LocalAccounts) -> Result<ReportItem, String> {
    let seats = item.seats.unwrap_or(1);
    check_within("seats", seats, 1, SEATS_LIMIT)?;
    let ttl_seconds = needed("ttl_seconds", item.ttl_seconds)?;
    check_within("ttl_seconds", ttl_seconds, 1, TTL_LIMIT_SECONDS)?;
    Ok(ReportItem::Checkout {
        session: session(item)?,
        product: composed(name("product", item.product.as_deref())?).into(),
        subject: subject("subject", needed("subject", item.subject.as_ref())?, local)?,
        seats,
        ttl_seconds,
        shown: item.held.as_ref().map(lease_shown).transpose()?.flatten(),
        gate: item.gate.unwrap_or(false),
        // A lease of another server is none here: a seat is asked for.
        claim: item.claim.as_deref().and_then(records::lease_id),
        program: match item.program.as_deref() {
            Some(program) => Some(name("program", Some(program))?.into()),
            None => None,
        },
    })
}

/// A lease that is shown; none if it is no lease of a server of this kind.
fn lease_shown(held: &ShownLease<'_>) -> Result<Option<Shown>, String> {
    let seconds = held.remaining_seconds;
    check_within("held.remaining_seconds", seconds, 1, TTL_LIMIT_SECONDS)?;
    Ok(records::lease_id(&held.lease).map(|lease| Shown {
        lease,
        granted_at: Wall(held.granted_at.as_millisecond()),
        remaining_seconds: seconds,
    }))
}
