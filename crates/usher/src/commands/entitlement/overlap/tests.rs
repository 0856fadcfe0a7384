//! Spans that count together, case by case.

use super::super::samples::wire;
use super::*;

fn now() -> Timestamp {
    "2026-01-10T12:00:00Z".parse().unwrap()
}

fn every(all: &[Wire]) -> Vec<&Wire> {
    all.iter().collect()
}

#[test]
fn a_renewal_from_the_last_day_on_is_told_with_that_day_and_its_seats() {
    let all = [
        wire("E1", 10, Some(("2026-01-01", "2026-12-31"))),
        wire("E2", 10, Some(("2026-12-31", "2027-12-30"))),
        wire("E3", 1, Some(("2027-12-31", "2028-12-31"))),
    ];
    assert_eq!(
        sentences(&all[1], &every(&all), now(), "UTC"),
        [
            "It takes over from E1 (10 seats): both count on 2026-12-31, and 20 seats may then be used."
        ]
    );
    assert_eq!(
        sentences(&all[0], &every(&all), now(), "UTC"),
        [
            "E2 (10 seats) takes over from it: both count on 2026-12-31, and 20 seats may then be used."
        ]
    );
    assert_eq!(
        sentences(&all[2], &every(&all), now(), "UTC"),
        Vec::<String>::new()
    );
}

#[test]
fn more_seats_for_a_time_are_told_with_the_time() {
    let all = [
        wire("E1", 10, None),
        wire("E2", 1, Some(("2026-07-01", "2026-07-31"))),
        wire("E3", 2, None),
    ];
    assert_eq!(
        sentences(&all[1], &every(&all), now(), "UTC"),
        [
            "From 2026-07-01 to 2026-07-31 E1 (10 seats) and E3 (2 seats) count too: 13 seats may then be used.",
        ]
    );
    assert_eq!(
        sentences(&all[2], &every(&all), now(), "UTC"),
        [
            "Until 2026-06-30 E1 (10 seats) counts too: 12 seats may then be used.",
            "From 2026-07-01 to 2026-07-31 E1 (10 seats) and E2 (1 seat) count too: 13 seats may then be used.",
            "From 2026-08-01 on E1 (10 seats) counts too: 12 seats may then be used.",
        ]
    );
}

#[test]
fn each_span_is_told_with_its_own_sum() {
    let all = [
        wire("E1", 10, Some(("2026-01-01", "2026-12-31"))),
        wire("E2", 10, Some(("2026-12-31", "2027-12-30"))),
        wire("E3", 5, Some(("2026-12-01", "2027-02-28"))),
    ];
    assert_eq!(
        sentences(&all[2], &every(&all), now(), "UTC"),
        [
            "From 2026-12-01 to 2026-12-30 E1 (10 seats) counts too: 15 seats may then be used.",
            "On 2026-12-31 E1 (10 seats) and E2 (10 seats) count too: 25 seats may then be used.",
            "From 2027-01-01 to 2027-02-28 E2 (10 seats) counts too: 15 seats may then be used.",
        ]
    );
}

#[test]
fn what_is_over_already_is_said_so_and_nothing_of_days_that_are_past() {
    let all = [
        wire("E1", 10, Some(("2025-01-01", "2025-12-31"))),
        wire("E2", 10, Some(("2025-12-01", "2026-12-31"))),
    ];
    assert_eq!(
        sentences(&all[0], &every(&all), now(), "UTC"),
        ["It is over already: it was valid until 2025-12-31, and no seat of it may be used."]
    );
    assert_eq!(
        sentences(&all[1], &every(&all), now(), "UTC"),
        Vec::<String>::new()
    );
}

#[test]
fn many_spans_and_many_entitlements_are_counted() {
    let days = |number: u32| {
        (
            format!("2026-{:02}-01", number),
            format!("2026-{:02}-15", number),
        )
    };
    let mut all = vec![wire("E0", 1, None)];
    for month in 2..=10 {
        let (from, to) = days(month);
        all.push(wire(&format!("E{month}"), 1, Some((&from, &to))));
    }
    let said = sentences(&all[0], &every(&all), now(), "UTC");
    assert_eq!(said.len(), 6, "{said:#?}");
    assert_eq!(
        said[5],
        "It counts together with others in 4 more spans of time."
    );
    let same: Vec<Wire> = (0..9).map(|it| wire(&format!("E{it}"), 1, None)).collect();
    let said = sentences(&same[0], &every(&same), now(), "UTC");
    assert!(
        said[0].contains("and 5 more count too: 9 seats"),
        "{said:#?}"
    );
}
