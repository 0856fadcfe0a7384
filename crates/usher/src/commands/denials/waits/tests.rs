//! Who waited in vain, as it is listed.

use super::*;

fn page<T: serde::de::DeserializeOwned>(items: serde_json::Value) -> Page<T> {
    serde_json::from_value(serde_json::json!({ "items": items, "next": null })).unwrap()
}

fn denials() -> Page<Denial> {
    page(serde_json::json!([{
        "decision_id": "D1-5", "product": "cad", "user": "ben", "computer": "pc", "seats": 1,
        "reason": "no_seat", "count": 3, "first_at": "2026-03-01T09:00:00Z",
        "last_at": "2026-03-01T09:00:30Z",
    }]))
}

fn waits() -> Page<WaitInVain> {
    let wait = |decision: &str, user: &str, outcome: &str, ended: &str| {
        serde_json::json!({
            "decision_id": decision, "product": "cad", "user": user, "computer": "pc",
            "seats": 1, "outcome": outcome, "queued_at": "2026-03-01T08:59:00Z",
            "ended_at": ended, "waited_seconds": 2,
        })
    };
    page(serde_json::json!([
        wait("D1-9", "cleo", "product_removed", "2026-03-01T09:01:00Z"),
        wait("D1-3", "dora", "gave_up", "2026-03-01T09:00:00Z"),
    ]))
}

#[test]
fn who_waited_in_vain_stands_among_who_was_refused() {
    let (denials, waits) = (denials(), waits());
    let all = merged(&denials, &waits, &Extent::ALL);
    let mut text = table(&all.items).text();
    for (at, said) in [
        ("2026-03-01T09:01:00Z", "MINUTE 1           "),
        ("2026-03-01T09:00:30Z", "HALF A MINUTE      "),
        ("2026-03-01T09:00:00Z", "NINE               "),
    ] {
        text = text.replace(&time::local(at.parse().unwrap()), said);
    }
    insta::assert_snapshot!(text, @r"
        LAST                 TIMES  PRODUCT  USER  COMPUTER  SEATS  REASON                       DECISION
        MINUTE 1                 1  cad      cleo  pc            1  waited 2 s, product removed  D1-9
        HALF A MINUTE            3  cad      ben   pc            1  no seat                      D1-5
        NINE                     1  cad      dora  pc            1  waited 2 s, gave up          D1-3
        ");
    assert_eq!(all.next, None);
    let some = merged(&denials, &waits, &Extent { limit: 2 });
    assert_eq!((some.items.len(), some.next.is_some()), (2, true));
}

#[test]
fn programs_are_given_who_waited_in_a_list_of_its_own() {
    let (denials, waits) = (denials(), waits());
    let both = Both {
        denials: &denials,
        waits: &waits.items,
    };
    let json = serde_json::to_value(&both).unwrap();
    assert_eq!(json["items"][0]["reason"], "no_seat", "{json}");
    assert_eq!(json["waits"][0]["outcome"], "product_removed", "{json}");
}
