//! The items of an agent's report: read in one pass, checked one by one.
//!
//! An item says its kind beside its other fields. Reading them all as optional fields of one
//! record costs a third of what serde's own way of reading such enums does, and lets one item
//! that makes no sense be refused without the others.

use std::borrow::Cow;

use serde::Deserialize;
use usher_api::{ProgramStarts, SEATS_LIMIT, ShownLease, Subject, Timestamp};
use usher_core::ledger::{ProgramUse, ReportItem, Shown, SubjectRef, Wall};
use usher_core::people::LocalAccounts;

use crate::base::limits::TTL_LIMIT_SECONDS;
use crate::wire::input::{check_name, check_text, check_within, composed};
use crate::wire::people::{self, Said};
use crate::wire::problem::shown;
use crate::wire::words;

const PROGRAMS_LIMIT: usize = 1_000;

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
        "renew" | "checkin" | "released" => &["session"],
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
        "checkout" => checkout(item, local),
        "finished" => finished(item, local),
        _ => programs(item),
    }
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

fn checkout(item: &Item<'_>, local: LocalAccounts) -> Result<ReportItem, String> {
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
        claim: item.claim.as_deref().and_then(words::lease_id),
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
    Ok(words::lease_id(&held.lease).map(|lease| Shown {
        lease,
        granted_at: Wall(held.granted_at.as_millisecond()),
        remaining_seconds: seconds,
    }))
}

fn finished(item: &Item<'_>, local: LocalAccounts) -> Result<ReportItem, String> {
    let started_at = needed("started_at", item.started_at)?;
    let ended_at = needed("ended_at", item.ended_at)?;
    let real_subject = item
        .real_subject
        .as_ref()
        .map(|real| subject("real_subject", real, local))
        .transpose()?;
    if let Some(incarnation) = item.incarnation
        && i64::try_from(incarnation).is_err()
    {
        return Err(format!(
            "`incarnation` is {incarnation}: give less than 2^63"
        ));
    }
    let version = item.version.as_deref().unwrap_or_default();
    check_text("version", version)?;
    let duration_ms = duration_ms(item)?;
    // A lease that another server granted is no lease of this one: the session still counts.
    let lease = item.lease.as_deref().and_then(words::lease_id);
    let unseated_ms = item.unseated_ms.unwrap_or(match item.lease {
        None => duration_ms,
        Some(_) => 0,
    });
    if unseated_ms > duration_ms {
        return Err(format!(
            "`unseated_ms` is {unseated_ms}: the session lasted {duration_ms} ms"
        ));
    }
    Ok(ReportItem::Finished {
        session: session(item)?,
        product: composed(name("product", item.product.as_deref())?).into(),
        program: name("program", item.program.as_deref())?.into(),
        version: (!version.is_empty()).then(|| version.into()),
        subject: subject("subject", needed("subject", item.subject.as_ref())?, local)?,
        real_subject,
        started_at: Wall(started_at.as_millisecond()),
        ended_at: Wall(ended_at.as_millisecond()),
        duration_ms,
        unseated_ms,
        lease,
        first_reported: item.incarnation,
    })
}

/// How long a session lasted: to the millisecond where that is said.
fn duration_ms(item: &Item<'_>) -> Result<u64, String> {
    let seconds = needed("duration_seconds", item.duration_seconds)?;
    let of_seconds = seconds
        .checked_mul(1_000)
        .filter(|ms| i64::try_from(*ms).is_ok_and(|ms| ms.checked_add(999).is_some()))
        .ok_or_else(|| format!("`duration_seconds` is {seconds}: no session lasts as long"))?;
    let ms = item.duration_ms.unwrap_or(of_seconds);
    match ms / 1_000 == seconds {
        true => Ok(ms),
        false => Err(format!(
            "`duration_ms` is {ms} and `duration_seconds` is {seconds}: they are one duration"
        )),
    }
}

fn programs(item: &Item<'_>) -> Result<ReportItem, String> {
    let counts = needed("counts", item.counts.as_deref())?;
    if counts.len() > PROGRAMS_LIMIT {
        return Err(format!(
            "`counts` has {} programs: send at most {PROGRAMS_LIMIT} at a time",
            counts.len()
        ));
    }
    let count = |counted: &ProgramStarts<'_>| {
        check_name("program", &counted.program)?;
        if counted.program.contains('/') {
            return Err("`program` has a folder: only a file's name is counted".to_owned());
        }
        for (field, count) in [
            ("starts", counted.starts),
            ("run_seconds", counted.run_seconds),
        ] {
            if i64::try_from(count).is_err() {
                return Err(format!("`{field}` is {count}: it is no count"));
            }
        }
        if let Some(package) = &counted.package {
            check_name("package", package)?;
        }
        if let Some(name) = &counted.desktop_name {
            check_name("desktop_name", name)?;
        }
        Ok(ProgramUse {
            program: Box::from(&*counted.program),
            starts: counted.starts,
            run_seconds: counted.run_seconds,
            package: counted.package.as_deref().map(Box::from),
            desktop_name: counted.desktop_name.as_deref().map(Box::from),
        })
    };
    Ok(ReportItem::Programs {
        counts: counts.iter().map(count).collect::<Result<_, _>>()?,
    })
}

fn needed<T>(field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("`{field}` is missing"))
}

fn session(item: &Item<'_>) -> Result<u64, String> {
    let session = needed("session", item.session)?;
    match i64::try_from(session) {
        Ok(_) => Ok(session),
        Err(_) => Err(format!("`session` is {session}: give less than 2^63")),
    }
}

fn name<'a>(field: &str, text: Option<&'a str>) -> Result<&'a str, String> {
    let text = needed(field, text)?;
    check_name(field, text)?;
    Ok(text)
}

fn subject(field: &str, subject: &Subject<'_>, local: LocalAccounts) -> Result<SubjectRef, String> {
    let said = Said {
        authority: &subject.authority,
        id: &subject.id,
        name: &subject.name,
    };
    people::person(field, &said, local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::{FinishedSession, SessionCheckout, SyncAction, SyncItem};

    fn read(text: &str) -> Result<ReportItem, String> {
        let item: Item<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        check(&item, LocalAccounts::ByComputer)
    }

    #[test]
    fn what_the_types_of_the_wire_write_is_read() {
        let subject = Subject {
            authority: "computer:c1".into(),
            id: "1000".into(),
            name: "ann".into(),
        };
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let actions = [
            SyncAction::Checkout(SessionCheckout {
                session: 1,
                product: "cad".into(),
                subject: subject.clone(),
                seats: 2,
                ttl_seconds: 60,
                held: Some(ShownLease {
                    lease: "L000000ab-7".into(),
                    granted_at: at,
                    remaining_seconds: 40,
                }),
                gate: true,
                claim: Some("L000000ab-8".into()),
                program: Some("cad.bin".into()),
            }),
            SyncAction::Renew { session: 1 },
            SyncAction::Checkin { session: 1 },
            SyncAction::Released { session: 1 },
            SyncAction::Finished(FinishedSession {
                session: 1,
                product: "cad".into(),
                program: "cad.bin".into(),
                version: Some("1.2".into()),
                subject: subject.clone(),
                real_subject: Some(subject),
                started_at: at,
                ended_at: at,
                duration_seconds: 3,
                duration_ms: Some(3_999),
                unseated_ms: Some(3_000),
                lease: Some("L000000ab-7".into()),
                incarnation: Some(3),
            }),
            SyncAction::Programs {
                counts: vec![ProgramStarts {
                    program: "ls".into(),
                    starts: 3,
                    run_seconds: 60,
                    package: Some("coreutils".into()),
                    desktop_name: Some("Files".into()),
                }],
            },
        ];
        for action in actions {
            let text = serde_json::to_string(&SyncItem {
                sequence: 4,
                action: action.clone(),
            })
            .unwrap();
            let item = read(&text).unwrap();
            match (&action, &item) {
                (
                    SyncAction::Checkout(_),
                    ReportItem::Checkout {
                        seats: 2,
                        subject,
                        shown: Some(shown),
                        gate: true,
                        claim: Some(claim),
                        program: Some(program),
                        ..
                    },
                ) => {
                    assert_eq!(claim.to_string(), "L000000ab-8");
                    assert_eq!(&**program, "cad.bin");
                    assert_eq!(shown.lease.to_string(), "L000000ab-7");
                    assert_eq!(shown.remaining_seconds, 40);
                    assert_eq!((&*subject.key, &*subject.name), ("ann", "ann"));
                }
                (SyncAction::Renew { .. }, ReportItem::Renew { session: 1 })
                | (SyncAction::Checkin { .. }, ReportItem::Checkin { session: 1 })
                | (SyncAction::Released { .. }, ReportItem::Released { session: 1 }) => {}
                (
                    SyncAction::Finished(_),
                    ReportItem::Finished {
                        duration_ms: 3_999,
                        unseated_ms: 3_000,
                        lease: Some(_),
                        first_reported: Some(3),
                        real_subject: Some(_),
                        version: Some(_),
                        ..
                    },
                ) => {}
                (SyncAction::Programs { .. }, ReportItem::Programs { counts }) => {
                    let expected = ProgramUse {
                        program: "ls".into(),
                        starts: 3,
                        run_seconds: 60,
                        package: Some("coreutils".into()),
                        desktop_name: Some("Files".into()),
                    };
                    assert_eq!(counts.as_slice(), [expected]);
                }
                _ => panic!("{text} became {item:?}"),
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_field_named() {
        let cases = [
            (r#"{"sequence":1,"kind":"dance"}"#, "kind"),
            (r#"{"sequence":1,"kind":"renew"}"#, "session"),
            (
                r#"{"sequence":1,"kind":"renew","session":1,"seats":2}"#,
                "seats",
            ),
            (
                r#"{"sequence":1,"kind":"programs","counts":[{"program":"a/b","starts":1}]}"#,
                "program",
            ),
            (
                r#"{"sequence":1,"kind":"renew","session":1,"colour":2}"#,
                "colour",
            ),
            (
                r#"{"sequence":1,"kind":"checkout","session":1,"product":"p","ttl_seconds":1,"seats":0,"subject":{"authority":"a","id":"b","name":"c"}}"#,
                "seats",
            ),
            (
                r#"{"sequence":1,"kind":"checkout","session":1,"product":"p","ttl_seconds":1,"subject":{"authority":"a","id":"b","name":"c"},"held":{"lease":"L000000ab-7","granted_at":"2026-01-02T03:04:05Z","remaining_seconds":0}}"#,
                "held.remaining_seconds",
            ),
            (
                r#"{"sequence":1,"kind":"renew","session":1,"held":{"lease":"L000000ab-7","granted_at":"2026-01-02T03:04:05Z","remaining_seconds":9}}"#,
                "held",
            ),
            (
                r#"{"sequence":1,"kind":"renew","session":1,"gate":true}"#,
                "gate",
            ),
            (
                r#"{"sequence":1,"kind":"checkout","session":1,"product":"","ttl_seconds":1,"subject":{"authority":"a","id":"b","name":"c"}}"#,
                "product",
            ),
        ];
        for (text, field) in cases {
            let why = read(text).unwrap_err();
            assert!(why.contains(field), "{text}: {why}");
        }
    }
}
