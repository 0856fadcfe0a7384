//! Rows as they come, and what is wrong with them.

use super::*;

fn row(json: serde_json::Value) -> ImportRow {
    serde_json::from_value(json).unwrap()
}

fn of_a_use(change: impl FnOnce(&mut serde_json::Value)) -> ImportRow {
    let mut json = serde_json::json!({
        "key": "00ff:0", "row": "use", "product": "MLM:Simulink", "user": "ann", "computer": "pc1",
        "started_at": "2026-01-02T03:04:05.678Z", "ended_at": null,
        "seen_until": "2026-01-02T04:00:00Z", "seats": 2,
    });
    change(&mut json);
    row(json)
}

#[track_caller]
fn refused(change: impl FnOnce(&mut serde_json::Value), said: &str) {
    let why = checked(vec![of_a_use(|_| {}), of_a_use(change)]).unwrap_err();
    assert!(
        why.starts_with("row 2 of the body cannot be taken in: "),
        "{why}"
    );
    assert!(why.contains(said), "{why}");
}

#[test]
fn a_row_is_taken_as_it_is() {
    let taken = checked(vec![of_a_use(|_| {})]).unwrap();
    let [row] = &taken[..] else {
        panic!("{taken:?}");
    };
    let Elsewhere::Use(used) = &row.what else {
        panic!("{row:?}");
    };
    assert_eq!(row.key, "00ff:0");
    assert_eq!((&*used.product, used.seats), ("MLM:Simulink", 2));
    assert_eq!(used.started_ms % 1_000, 678);
    assert_eq!((used.ended_ms, used.program.as_ref()), (None, None));
    assert!(used.seen_ms > Some(used.started_ms));
}

#[test]
fn what_cannot_be_kept_is_refused_with_its_place() {
    refused(|it| it["key"] = "".into(), "`key` is empty");
    refused(|it| it["key"] = "x".repeat(65).into(), "`key` has 65 bytes");
    refused(|it| it["product"] = "".into(), "`product` is empty");
    refused(|it| it["product"] = "a b".into(), "a blank or `/`");
    refused(|it| it["product"] = "a/b".into(), "a blank or `/`");
    refused(|it| it["user"] = "ü".repeat(128).into(), "`user` has 256");
    refused(|it| it["computer"] = "a\u{1b}[2J".into(), "`computer` has");
    refused(|it| it["seats"] = 0.into(), "`seats` is 0");
    refused(
        |it| it["ended_at"] = "2026-01-02T03:04:05Z".into(),
        "`ended_at` is before `started_at`",
    );
    refused(
        |it| it["seen_until"] = "2025-01-02T03:04:05Z".into(),
        "`seen_until` is before `started_at`",
    );
}

#[test]
fn a_name_is_kept_in_the_form_in_which_names_are_compared() {
    let taken = checked(vec![of_a_use(|it| it["user"] = "Zoe\u{308}".into())]).unwrap();
    let Elsewhere::Use(used) = &taken[0].what else {
        panic!("{taken:?}");
    };
    assert_eq!(used.holder.user, "Zo\u{eb}");
    // Nobody is named if the file names nobody.
    let nobody = of_a_use(|it| {
        it["user"] = "".into();
        it["computer"] = "".into();
    });
    assert!(checked(vec![nobody]).is_ok());
}

#[test]
fn each_kind_of_row_is_taken_and_one_that_is_not_known_is_left_out() {
    let at = "2026-01-02T03:04:05Z";
    let later = "2026-01-02T04:00:00Z";
    let holder = serde_json::json!({ "user": "ann", "computer": "pc1", "product": "a:b" });
    let with = |more: serde_json::Value| {
        let mut json = holder.clone();
        let all = json.as_object_mut().unwrap();
        all.insert("key".to_owned(), "k".into());
        for (field, value) in more.as_object().unwrap() {
            all.insert(field.clone(), value.clone());
        }
        row(json)
    };
    let rows = vec![
        with(
            serde_json::json!({ "row": "denial", "at": at, "seats": 1, "reason": "too_hot",
            "words": "no" }),
        ),
        with(
            serde_json::json!({ "row": "wait", "queued_at": at, "ended_at": later,
            "seen_until": null, "seats": 1, "granted": null }),
        ),
        with(
            serde_json::json!({ "row": "level", "server": "1@h", "at": at, "issued": 5,
            "in_use": null, "reserved": 0, "queued": 0 }),
        ),
        with(
            serde_json::json!({ "row": "summed", "from": at, "to": later, "starts": 1,
            "seconds": 2, "users": null, "last_used": null }),
        ),
        with(
            serde_json::json!({ "row": "entitlement", "seats": 5, "overdraft": 0,
            "from": "2026-01-01", "to": null }),
        ),
        with(
            serde_json::json!({ "row": "limit", "rule": "reserve", "amount": 2, "whom": null,
            "text": "Two are reserved." }),
        ),
        with(
            serde_json::json!({ "row": "silence", "from": at, "to": at, "server": null,
            "daemon": null }),
        ),
        with(serde_json::json!({ "row": "daemon_peak", "daemon": "a", "seats": 7, "at": null })),
        with(serde_json::json!({ "row": "borrow", "until": later })),
    ];
    let taken = checked(rows).unwrap();
    assert_eq!(taken.len(), 8);
    let Elsewhere::Denial(denial) = &taken[0].what else {
        panic!("{taken:?}");
    };
    assert_eq!(denial.reason, "other");
    let Elsewhere::Entitlement(owned) = &taken[4].what else {
        panic!("{taken:?}");
    };
    assert_eq!(owned.from_day.as_deref(), Some("2026-01-01"));
    let backwards = serde_json::json!({ "row": "entitlement", "seats": 5, "overdraft": 0,
        "from": "2026-02-01", "to": "2026-01-31" });
    assert!(checked(vec![with(backwards)]).is_err());
}
