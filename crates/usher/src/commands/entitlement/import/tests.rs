//! What an import says of the rows that it adds.

use usher_api::Metric;

use super::super::rows::tests::rows as parsed;
use super::*;

fn owned() -> Vec<Entitlement> {
    vec![Entitlement {
        id: "e-1".into(),
        product: "cad".into(),
        metric: Metric::Concurrent,
        seats: 10,
        overdraft: 0,
        from: None,
        to: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        from_day: None,
        to_day: Some("2026-12-31".into()),
        time_zone: Some("UTC".into()),
        in_use: 0,
        allotment: "a-1".into(),
        name: None,
        price: None,
        contract: None,
        cost_centre: None,
        notice_days: None,
        note: None,
    }]
}

fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

#[test]
fn counts_are_added_to_what_is_owned_and_never_replaced() {
    let rows = parsed("product,seats,to\ncad,5,2026-12-31\ncad,2,\n");
    let now = "2026-11-30T12:00:00Z".parse().unwrap();
    let changes = changes(&as_owned(&rows), &owned(), now, "UTC");
    insta::assert_snapshot!(serde_json::to_string(&changes).unwrap(), @r#"[{"product":"cad","seats_before":10,"seats_added":7,"seats_after":17,"most_seats":17,"most_from":null,"entitlements_added":2}]"#);
    insta::assert_snapshot!(table(&changes).text(), @r"
    PRODUCT  TODAY  ROWS  THEN TODAY  AT MOST  FROM
    cad         10     2          17       17  today
    ");
}

#[test]
fn a_renewal_that_counts_together_with_what_it_renews_says_on_which_days() {
    let rows = parsed("product,seats,from,to\ncad,12,2026-12-31,2027-12-30\ncad,1,,\n");
    let told = overlaps(&as_owned(&rows), &owned(), now(), "UTC");
    assert!(!told.has_renewal);
    insta::assert_snapshot!(told.sentences.join("\n"), @r"
    cad: On 2026-12-31 e-1 (10 seats), line 2 (12 seats) and line 3 (1 seat) count together: 23 seats may then be used.
    cad: From 2027-01-01 to 2027-12-30 line 2 (12 seats) and line 3 (1 seat) count together: 13 seats may then be used.
    ");
    let renewal = parsed("product,seats,from,to\ncad,12,2026-12-31,2027-12-30\n");
    let told = overlaps(&as_owned(&renewal), &owned(), now(), "UTC");
    assert!(told.has_renewal);
    insta::assert_snapshot!(told.sentences.join("\n"), @"cad: line 2 takes over from e-1 (10 seats): both count on 2026-12-31, and 22 seats may then be used.");
    let apart = parsed("product,seats,from,to\ncad,12,2027-01-01,2027-12-31\n");
    assert_eq!(
        overlaps(&as_owned(&apart), &owned(), now(), "UTC"),
        Told::default()
    );
}

#[test]
fn each_time_on_which_rows_count_together_is_told_once() {
    let rows = parsed(
        "product;seats;from;to\ncad;10;01.11.2026;31.12.2026\n\
         cad;10;01.12.2026;31.12.2027\ncad;10;15.12.2026;31.12.2027\n",
    );
    let told = overlaps(&as_owned(&rows), &[], now(), "UTC");
    insta::assert_snapshot!(told.sentences.join("\n"), @r"
    cad: From 2026-12-01 to 2026-12-14 line 2 (10 seats) and line 3 (10 seats) count together: 20 seats may then be used.
    cad: From 2026-12-15 to 2026-12-31 line 2 (10 seats), line 3 (10 seats) and line 4 (10 seats) count together: 30 seats may then be used.
    cad: From 2027-01-01 to 2027-12-31 line 3 (10 seats) and line 4 (10 seats) count together: 20 seats may then be used.
    ");
}

#[test]
fn a_row_that_is_over_already_is_said_so() {
    let rows = parsed("product,seats,from,to\ncad,5,2025-01-01,2025-12-31\n");
    let told = overlaps(&as_owned(&rows), &[], now(), "UTC");
    insta::assert_snapshot!(told.sentences.join("\n"), @"line 2 is over already: it was valid until 2025-12-31, and no seat of it may be used.");
}
