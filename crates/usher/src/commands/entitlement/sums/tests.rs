//! What seats of several rows add up to.

use super::super::samples::wire;
use super::*;

fn told(added: &[Wire], owned: &[Wire]) -> (u64, u64, u64, Option<String>) {
    let now = "2026-11-30T12:00:00Z".parse().unwrap();
    let change = changes(added, owned, now, "UTC").remove(0);
    let Change {
        seats_before,
        seats_after,
        most_seats,
        most_from,
        ..
    } = change;
    (seats_before, seats_after, most_seats, most_from)
}

#[test]
fn seats_of_other_years_do_not_add_up() {
    let years: Vec<Wire> = [(2024, 5), (2025, 7), (2026, 10), (2027, 12), (2028, 11)]
        .into_iter()
        .map(|(year, seats)| {
            let days = (format!("{year}-01-01"), format!("{year}-12-31"));
            wire(&format!("line {year}"), seats, Some((&days.0, &days.1)))
        })
        .collect();
    assert_eq!(told(&years, &[]), (0, 10, 12, Some("2027-01-01".into())));
    let always = [wire("E1", 3, None)];
    assert_eq!(
        told(&years, &always),
        (3, 13, 15, Some("2027-01-01".into()))
    );
    assert_eq!(told(&years[..3], &always), (3, 13, 13, None));
}

#[test]
fn an_overdraft_counts_as_what_may_be_used() {
    let owned = [wire("E1", 10, None)];
    let mut more = wire("line 2", 5, None);
    more.overdraft = 2;
    assert_eq!(told(&[more], &owned), (10, 17, 17, None));
}

#[test]
fn a_renewal_takes_over_and_what_is_bought_in_between_adds_up() {
    let owned = [wire("E1", 10, Some(("2026-01-01", "2026-12-31")))];
    let renewal = wire("line 2", 10, Some(("2026-12-31", "2027-12-31")));
    let more = wire("line 3", 2, Some(("2026-12-01", "2026-12-31")));
    assert_eq!(
        told(std::slice::from_ref(&renewal), &owned),
        (10, 10, 10, None)
    );
    let both = [renewal, more];
    assert_eq!(told(&both, &owned), (10, 10, 12, Some("2026-12-01".into())));
}

#[test]
fn a_hundred_thousand_rows_of_one_product_are_summed_at_once() {
    let day = |number: i64| {
        let first: jiff::civil::Date = "2027-01-01".parse().unwrap();
        first
            .checked_add(jiff::Span::new().days(number))
            .unwrap()
            .to_string()
    };
    let rows: Vec<Wire> = (0..100_000)
        .map(|number| {
            let (from, to) = (day(number % 700), day(number % 700 + 1 + number % 6));
            wire(&format!("line {number}"), 1, Some((&from, &to)))
        })
        .collect();
    assert_eq!(told(&rows, &[]).1, 0);
}
