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
    let known = match &*item.kind {
        "checkout" => CHECKOUT,
        "renew" => RENEW,
        "checkin" | "released" => SESSION,
        "finished" => FINISHED,
        "programs" => COUNTS,
        other => {
            return Err(format!(
                "`kind` is {}: give checkout, renew, checkin, released, finished or programs",
                shown(other)
            ));
        }
    };
    if let Some(field) = first_of(said(item) & !known) {
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

/// A field that an item may have beside `sequence` and `kind`.
#[derive(Clone, Copy)]
enum Field {
    Session,
    Product,
    Subject,
    Seats,
    Ttl,
    Program,
    Version,
    RealSubject,
    StartedAt,
    EndedAt,
    DurationSeconds,
    DurationMs,
    UnseatedMs,
    UntouchedSeconds,
    Lease,
    Counts,
    Held,
    Incarnation,
    Gate,
    Claim,
}

/// Each field's name, in the order of [`Field`].
const NAMES: [&str; 20] = [
    "session",
    "product",
    "subject",
    "seats",
    "ttl_seconds",
    "program",
    "version",
    "real_subject",
    "started_at",
    "ended_at",
    "duration_seconds",
    "duration_ms",
    "unseated_ms",
    "untouched_seconds",
    "lease",
    "counts",
    "held",
    "incarnation",
    "gate",
    "claim",
];

/// A set of fields: a bit for each, for which a request of a hundred items is not looked up by name.
const fn set(fields: &[Field]) -> u32 {
    let mut set = 0;
    let mut at = 0;
    while at < fields.len() {
        set |= 1 << fields[at] as u32;
        at += 1;
    }
    set
}

const CHECKOUT: u32 = set(&[
    Field::Session,
    Field::Product,
    Field::Subject,
    Field::Seats,
    Field::Ttl,
    Field::Held,
    Field::Gate,
    Field::Claim,
    Field::Program,
]);
const RENEW: u32 = set(&[Field::Session, Field::UntouchedSeconds]);
const SESSION: u32 = set(&[Field::Session]);
const FINISHED: u32 = set(&[
    Field::Session,
    Field::Product,
    Field::Program,
    Field::Version,
    Field::Subject,
    Field::RealSubject,
    Field::StartedAt,
    Field::EndedAt,
    Field::DurationSeconds,
    Field::DurationMs,
    Field::UnseatedMs,
    Field::Lease,
    Field::Incarnation,
]);
const COUNTS: u32 = set(&[Field::Counts]);

/// The set of fields that are there.
fn said(item: &Item<'_>) -> u32 {
    let there = [
        (item.session.is_some(), Field::Session),
        (item.product.is_some(), Field::Product),
        (item.subject.is_some(), Field::Subject),
        (item.seats.is_some(), Field::Seats),
        (item.ttl_seconds.is_some(), Field::Ttl),
        (item.program.is_some(), Field::Program),
        (item.version.is_some(), Field::Version),
        (item.real_subject.is_some(), Field::RealSubject),
        (item.started_at.is_some(), Field::StartedAt),
        (item.ended_at.is_some(), Field::EndedAt),
        (item.duration_seconds.is_some(), Field::DurationSeconds),
        (item.duration_ms.is_some(), Field::DurationMs),
        (item.unseated_ms.is_some(), Field::UnseatedMs),
        (item.untouched_seconds.is_some(), Field::UntouchedSeconds),
        (item.lease.is_some(), Field::Lease),
        (item.counts.is_some(), Field::Counts),
        (item.held.is_some(), Field::Held),
        (item.incarnation.is_some(), Field::Incarnation),
        (item.gate.is_some(), Field::Gate),
        (item.claim.is_some(), Field::Claim),
    ];
    there.into_iter().fold(0, |set, (is_there, field)| {
        set | (u32::from(is_there) << field as u32)
    })
}

/// The first field of a set.
fn first_of(set: u32) -> Option<&'static str> {
    NAMES.get(set.trailing_zeros() as usize).copied()
}
