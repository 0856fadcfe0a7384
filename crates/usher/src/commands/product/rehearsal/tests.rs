//! What people are told of whom seats would have refused.

use usher_api::DemandStart;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn rehearsal() -> Rehearsal {
    let product = serde_json::json!({ "id": "cad" });
    let product: Product = serde_json::from_value(product).unwrap();
    Rehearsal {
        days: DAYS,
        demand: Demand {
            from: Some(at(0)),
            owned: 1,
            sessions: 4,
            peak: 3,
            peak_at: Some(at(12)),
            ..nothing(&product, 1, at(0), at(60))
        },
        asked: Seats::default(),
    }
}

fn described(rehearsal: &Rehearsal) -> String {
    let text = rehearsal.describe();
    [12, 57].iter().fold(text, |text, minute| {
        text.replace(&time::local(at(*minute)), &format!("MINUTE {minute}"))
    })
}

#[test]
fn whom_the_seats_would_have_refused_is_told_with_the_first() {
    let found = Rehearsal {
        demand: Demand {
            refused: 3,
            people: 2,
            cut: true,
            first: Some(DemandStart {
                user: "cora".into(),
                computer: "pc1".into(),
                program: Some("cad.bin".into()),
                started_at: at(12),
            }),
            ..rehearsal().demand
        },
        ..rehearsal()
    };
    insta::assert_snapshot!(described(&found), @r"
    At least 3 seats were wanted at once in the last 30 days, first at MINUTE 12.
    With 1 seat 3 starts by 2 people would have been refused, or have had to wait.
    The first: cad.bin by cora on pc1 at MINUTE 12.
    Only the newest 100,000 records of a kind were looked at.
    ");
}

#[test]
fn what_was_wanted_at_once_is_told_where_nobody_would_have_been_refused() {
    let found = Rehearsal {
        demand: Demand {
            seats: 3,
            owned: 12,
            ..rehearsal().demand
        },
        asked: Seats {
            tried: Some(3),
            ..Seats::default()
        },
        ..rehearsal()
    };
    insta::assert_snapshot!(described(&found), @r"
    At most 3 seats were wanted at once in the last 30 days, first at MINUTE 12.
    With 3 seats nobody would have been refused, or have had to wait.
    12 seats may be in use now.
    ");
}

#[test]
fn who_was_refused_and_who_waited_is_told_with_the_time_of_which_something_is_known() {
    let found = Rehearsal {
        demand: Demand {
            from: Some(at(57)),
            denials: 5,
            denied_people: 3,
            denied_seconds: 90,
            ended_sessions: Some(4),
            waits: 1,
            waiting_people: 1,
            refused: 4,
            people: 4,
            ..rehearsal().demand
        },
        ..rehearsal()
    };
    insta::assert_snapshot!(described(&found), @r"
    At least 3 seats were wanted at once in the last 3 min (nothing is recorded of cad before MINUTE 57), first at MINUTE 12.
    With 1 seat 4 starts by 4 people would have been refused, or have had to wait.
    In this time 3 people were refused, 5 times in all, and 1 request by 1 person waited; that is counted as wanted. Who was refused, and was not seated later, counts for 1 min 30 s: the median of its 4 sessions that have ended.
    ");
    let said = |ended_sessions| {
        let demand = Demand {
            ended_sessions,
            ..found.demand.clone()
        };
        let told = Rehearsal {
            demand,
            ..rehearsal()
        };
        told.why_so_long()
    };
    assert!(said(Some(0)).contains("none of its sessions has ended"));
    assert!(said(Some(1)).contains("the one of its sessions"));
    assert!(said(None).contains("15 min"), "an older server");
    let waited = Rehearsal {
        demand: Demand {
            denials: 0,
            refused: 0,
            ..found.demand
        },
        ..found
    };
    let text = waited.describe();
    assert!(text.starts_with("At most 3"), "{text}");
    assert!(
        text.ends_with("1 request by 1 person waited; that is counted as wanted."),
        "{text}"
    );
}

#[test]
fn the_figures_have_the_names_that_they_always_had() {
    let json = serde_json::to_value(rehearsal()).unwrap();
    for name in [
        "product", "seats", "days", "sessions", "cut", "refused", "people", "first", "peak",
        "peak_at", "denials",
    ] {
        assert!(json.get(name).is_some(), "{name} is missing: {json}");
    }
}

#[test]
fn another_time_than_the_usual_is_named() {
    let found = Rehearsal {
        asked: Seats {
            since: Some(at(0)),
            ..Seats::default()
        },
        ..rehearsal()
    };
    let said = format!("wanted at once since {}, first", time::local(at(0)));
    assert!(found.describe().contains(&said), "{}", found.describe());
}

#[test]
fn nothing_recorded_is_not_called_nobody_refused() {
    let found = Rehearsal {
        demand: Demand {
            from: None,
            ..rehearsal().demand
        },
        ..rehearsal()
    };
    let text = found.describe();
    assert!(text.starts_with("Nothing is recorded"), "{text}");
}
