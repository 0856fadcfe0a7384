//! Times without a seat, and of what they are told.

use super::super::samples::wire;
use super::*;

fn told(all: &[Wire], index: usize) -> String {
    let now = "2026-01-10T12:00:00Z".parse().unwrap();
    let every: Vec<&Wire> = all.iter().collect();
    sentences(&all[index], &every, now, "UTC").join("\n")
}

#[test]
fn a_time_without_a_seat_is_told_of_both_that_it_lies_between() {
    let mut all = [
        wire("E1", 10, Some(("2026-01-01", "2026-11-30"))),
        wire("E2", 10, Some(("2026-12-25", "2027-12-31"))),
    ];
    all[1].name = Some("cad-2027".to_owned());
    let gap = "From 2026-12-01 to 2026-12-24 no seat of cad is owned: then cad-2027 (E2) begins.";
    assert_eq!(told(&all, 0), gap);
    assert_eq!(told(&all, 1), gap);
    // What is always owned leaves none.
    let with_more = [all[0].clone(), all[1].clone(), wire("E3", 1, None)];
    assert_eq!(told(&with_more, 0), "");
    let next_day = [
        all[0].clone(),
        wire("E2", 10, Some(("2026-12-01", "2027-12-31"))),
    ];
    assert_eq!(told(&next_day, 0), "");
    let one_day = [
        all[0].clone(),
        wire("E2", 10, Some(("2026-12-02", "2027-12-31"))),
    ];
    assert_eq!(
        told(&one_day, 0),
        "On 2026-12-01 no seat of cad is owned: then E2 begins."
    );
    let now = [
        wire("E1", 10, Some(("2025-01-01", "2025-12-31"))),
        wire("E2", 10, Some(("2026-12-02", "2027-12-31"))),
    ];
    assert_eq!(told(&now, 0), told(&now, 1));
    assert_eq!(
        told(&now, 1),
        "Until 2026-12-01 no seat of cad is owned: then E2 begins."
    );
    assert_eq!(told(&now[1..], 0), "", "nothing was before");
}
