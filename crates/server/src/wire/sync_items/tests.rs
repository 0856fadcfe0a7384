//! What is read, and what is refused.

use usher_api::{FinishedSession, SessionCheckout, SyncAction, SyncItem};
use usher_core::ledger::ProgramUse;

use super::*;

fn read(text: &str) -> Result<ReportItem, String> {
    let item: Item<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    check(&item, LocalAccounts::ByComputer)
}

#[test]
fn a_kind_refuses_the_fields_of_others_by_their_names() {
    let values = [
        ("product", r#""cad""#),
        ("seats", "1"),
        ("ttl_seconds", "60"),
        ("program", r#""a""#),
        ("version", r#""1""#),
        ("started_at", r#""2026-01-01T00:00:00Z""#),
        ("ended_at", r#""2026-01-01T00:00:00Z""#),
        ("duration_seconds", "1"),
        ("duration_ms", "1"),
        ("unseated_ms", "1"),
        ("lease", r#""L1-1""#),
        ("counts", "[]"),
        ("claim", r#""L1-1""#),
    ];
    for (field, value) in values {
        let item = format!(r#"{{"sequence":1,"kind":"renew","session":1,"{field}":{value}}}"#);
        let why = read(&item).unwrap_err();
        assert_eq!(why, format!("an item of kind renew has no `{field}`"));
    }
    let renewed = r#"{"sequence":1,"kind":"renew","session":1,"untouched_seconds":3}"#;
    assert!(read(renewed).is_ok());
    let given_back = renewed.replace("renew", "checkin");
    let why = read(&given_back).unwrap_err();
    assert_eq!(why, "an item of kind checkin has no `untouched_seconds`");
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
        SyncAction::Renew {
            session: 1,
            untouched_seconds: Some(7),
        },
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
