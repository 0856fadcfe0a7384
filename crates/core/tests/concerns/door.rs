//! Agents and clients that are turned away at the door: which are told of, and with what reasons.

use usher_core::concerns::{Facts, Thresholds, TurnedAwayFact, TurnedAwayReason, judge};

use super::{NOW_MS, found, texts, well};

fn reason(why: &str, times: u64, since_minutes: i64, last_minutes: i64) -> TurnedAwayReason {
    TurnedAwayReason {
        why: why.to_owned(),
        since_ms: NOW_MS - since_minutes * 60_000,
        last_ms: NOW_MS - last_minutes * 60_000,
        times,
        computers: Vec::new(),
    }
}

#[test]
fn agents_that_are_turned_away_are_named_by_their_computers_where_they_are_known() {
    let at = |address: &str, reasons: Vec<TurnedAwayReason>| TurnedAwayFact {
        address: address.to_owned(),
        reasons,
        since_ms: NOW_MS - 30 * 60_000,
        last_ms: NOW_MS,
        times: 90,
    };
    let of = |computers: &[&str]| TurnedAwayReason {
        computers: computers.iter().map(|&it| it.to_owned()).collect(),
        ..reason("the token was revoked", 30, 20, 0)
    };
    let one = Facts {
        turned_away: vec![at("10.0.0.7", vec![of(&["c-2"])])],
        ..well()
    };
    assert!(
        texts(&one)[0].ends_with(": the token was revoked (computer c-2)"),
        "{:?}",
        texts(&one)
    );
    let unknown = reason("the token is not known here", 30, 10, 0);
    let several = Facts {
        turned_away: vec![
            at("10.0.0.7", vec![of(&["c-2", "c-9"]), unknown]),
            at("10.0.0.8", vec![of(&["c-1", "c-2"])]),
        ],
        ..well()
    };
    assert!(
        texts(&several)[0].ends_with(
            ": the token was revoked (computers c-1, c-2, c-9, since 2026-11-25 09:40 UTC); the \
             token is not known here (since 2026-11-25 09:50 UTC)"
        ),
        "{:?}",
        texts(&several)
    );
}

#[test]
fn two_agents_behind_one_address_are_told_with_the_fault_of_each() {
    let facts = |reasons| Facts {
        turned_away: vec![TurnedAwayFact {
            address: "10.0.0.7".to_owned(),
            reasons,
            since_ms: NOW_MS - 30 * 60_000,
            last_ms: NOW_MS,
            times: 90,
        }],
        ..well()
    };
    let unknown = reason("the token is not known here", 30, 20, 0);
    let expired = reason("the token has expired", 60, 30, 1);
    let once = reason("the token was revoked", 1, 3, 3);
    let text = "alpha has been turning away agents or clients at 10.0.0.7 since 2026-11-25 09:30 \
                UTC: the token has expired (since 2026-11-25 09:30 UTC); the token is not known \
                here (since 2026-11-25 09:40 UTC)";
    let all = facts(vec![unknown.clone(), expired.clone(), once]);
    assert_eq!(texts(&all), [text]);
    // Who came last is no news.
    assert_eq!(texts(&facts(vec![expired, unknown])), [text]);
    // A reason of its own each time.
    let each = (1..=4).map(|it| reason(&format!("it is of computer {it}"), 1, it, it));
    assert!(
        texts(&facts(each.collect()))[0]
            .contains("computer 4 (since 2026-11-25 09:56 UTC); it is of computer 3")
    );
}

#[test]
fn agents_that_are_turned_away_again_and_again_are_told_of() {
    let turned_away = |times, since_minutes: i64, last_minutes: i64| Facts {
        turned_away: vec![TurnedAwayFact {
            address: "10.0.0.7".to_owned(),
            reasons: vec![reason(
                "the token has expired",
                times,
                since_minutes,
                last_minutes,
            )],
            since_ms: NOW_MS - since_minutes * 60_000,
            last_ms: NOW_MS - last_minutes * 60_000,
            times,
        }],
        ..well()
    };
    assert_eq!(
        texts(&turned_away(3, 2, 1)),
        [
            "alpha has been turning away agents or clients at 10.0.0.7 since 2026-11-25 09:58 UTC: the token has expired"
        ]
    );
    assert_eq!(found(&turned_away(2, 2, 1)), [], "somebody tried something");
    assert_eq!(found(&turned_away(9, 0, 0)), [], "within a moment");
    assert_eq!(found(&turned_away(9, 60, 15)), [], "that is over");
    let never = Thresholds {
        turned_away_times: 0,
        ..Thresholds::default()
    };
    let facts = turned_away(9, 2, 1);
    assert_eq!(judge("alpha", &facts, &never, &|_, _| false), []);
}
