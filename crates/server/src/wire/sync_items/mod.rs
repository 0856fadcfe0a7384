//! The items of an agent's report: read in one pass, checked one by one.
//!
//! An item says its kind beside its other fields. Reading them all as optional fields of one
//! record costs a third of what serde's own way of reading such enums does, and lets one item
//! that makes no sense be refused without the others.

mod fields;
mod finished;
mod programs;
mod seats;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Deserialize;
use usher_api::{ProgramStarts, ShownLease, Subject, Timestamp};
use usher_core::ledger::ReportItem;
use usher_core::people::LocalAccounts;

use self::fields::session;
use crate::wire::problem::shown;

/// An item as it came: `usher_api::SyncItem` with the fields of every kind.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item<'a> {
    pub(crate) sequence: u64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    session: Option<u64>,
    #[serde(default, borrow)]
    product: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "usher_api::object::optional")]
    subject: Option<Subject<'a>>,
    seats: Option<u32>,
    ttl_seconds: Option<u32>,
    #[serde(default, borrow)]
    program: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "usher_api::object::optional")]
    real_subject: Option<Subject<'a>>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    duration_seconds: Option<u64>,
    duration_ms: Option<u64>,
    unseated_ms: Option<u64>,
    untouched_seconds: Option<u64>,
    #[serde(default, borrow)]
    lease: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "usher_api::object::each_optional")]
    counts: Option<Vec<ProgramStarts<'a>>>,
    #[serde(default, borrow, deserialize_with = "usher_api::object::optional")]
    held: Option<ShownLease<'a>>,
    incarnation: Option<u64>,
    gate: Option<bool>,
    #[serde(default, borrow)]
    claim: Option<Cow<'a, str>>,
}

/// The item for the ledger, or why it makes no sense.
pub(crate) fn check(item: &Item<'_>, local: LocalAccounts) -> Result<ReportItem, String> {
    let known: &[&str] = match &*item.kind {
        "checkout" => &[
            "session",
            "product",
            "subject",
            "seats",
            "ttl_seconds",
            "held",
            "gate",
            "claim",
            "program",
        ],
        "renew" => &["session", "untouched_seconds"],
        "checkin" | "released" => &["session"],
        "finished" => &[
            "session",
            "product",
            "program",
            "version",
            "subject",
            "real_subject",
            "started_at",
            "ended_at",
            "duration_seconds",
            "duration_ms",
            "unseated_ms",
            "lease",
            "incarnation",
        ],
        "programs" => &["counts"],
        other => {
            return Err(format!(
                "`kind` is {}: give checkout, renew, checkin, released, finished or programs",
                shown(other)
            ));
        }
    };
    if let Some(field) = said(item).find(|field| !known.contains(field)) {
        return Err(format!("an item of kind {} has no `{field}`", item.kind));
    }
    match &*item.kind {
        "renew" => Ok(ReportItem::Renew {
            session: session(item)?,
        }),
        "checkin" => Ok(ReportItem::Checkin {
            session: session(item)?,
        }),
        "released" => Ok(ReportItem::Released {
            session: session(item)?,
        }),
        "checkout" => seats::checkout(item, local),
        "finished" => finished::finished(item, local),
        _ => programs::programs(item),
    }
}

/// The session that an item renews, and for how many seconds nobody has touched it, if its agent says
/// so; none: it renews none. The ledger is not told: it decides nothing by that.
pub(crate) fn untouched(item: &Item<'_>) -> Option<(u64, Option<u64>)> {
    (&*item.kind == "renew").then_some((item.session?, item.untouched_seconds))
}

/// The fields that are there.
fn said(item: &Item<'_>) -> impl Iterator<Item = &'static str> {
    [
        (item.session.is_some(), "session"),
        (item.product.is_some(), "product"),
        (item.subject.is_some(), "subject"),
        (item.seats.is_some(), "seats"),
        (item.ttl_seconds.is_some(), "ttl_seconds"),
        (item.program.is_some(), "program"),
        (item.version.is_some(), "version"),
        (item.real_subject.is_some(), "real_subject"),
        (item.started_at.is_some(), "started_at"),
        (item.ended_at.is_some(), "ended_at"),
        (item.duration_seconds.is_some(), "duration_seconds"),
        (item.duration_ms.is_some(), "duration_ms"),
        (item.unseated_ms.is_some(), "unseated_ms"),
        (item.untouched_seconds.is_some(), "untouched_seconds"),
        (item.lease.is_some(), "lease"),
        (item.counts.is_some(), "counts"),
        (item.held.is_some(), "held"),
        (item.incarnation.is_some(), "incarnation"),
        (item.gate.is_some(), "gate"),
        (item.claim.is_some(), "claim"),
    ]
    .into_iter()
    .filter_map(|(there, field)| there.then_some(field))
}
