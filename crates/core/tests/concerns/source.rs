//! What is of concern of a source: another licence server, as imported files tell it.

use usher_core::concerns::{
    Concern, Concerns, Kind, Notice, SeatsFact, SourceEntitlement, SourceFacts, SourceSeats,
    Thresholds,
};
use usher_core::messages::entry;

use super::{DAY_MS, HOUR_MS, NOW_MS, at};

fn source() -> SourceFacts {
    SourceFacts {
        at_ms: NOW_MS,
        source: "lic1".to_owned(),
        imported_ms: NOW_MS,
        ..SourceFacts::default()
    }
}

fn few() -> Thresholds {
    Thresholds {
        free_minutes: 10,
        ..Thresholds::default()
    }
}

/// No seat of ten is free at that minute; none: nothing recent is known.
fn full(minute: Option<i64>) -> SourceFacts {
    let seats = minute.map(|minute| SourceSeats {
        until_ms: NOW_MS + minute * 60_000,
        products: vec![SeatsFact {
            product: "MLM:Simulink".to_owned(),
            seats: 10,
            in_use: 10,
        }],
    });
    SourceFacts { seats, ..source() }
}

fn texts(notices: &[Notice]) -> Vec<String> {
    let text = |it: &Notice| match it {
        Notice::Began(Concern { kind, values, .. }) => entry(kind.message_id()).fill(values),
        other => panic!("{other:?}"),
    };
    notices.iter().map(text).collect()
}

#[test]
fn seats_that_were_few_for_a_time_by_the_reports_own_time_are_told() {
    let mut concerns = Concerns::default();
    let mut see = |second, minute| concerns.see_source(at(second), &full(Some(minute)), &few());
    assert_eq!(see(0, 0), []);
    // One report says nothing of the time after it, however long it is the last one.
    assert_eq!(see(3_600, 0), []);
    assert_eq!(see(3_660, 5), []);
    assert_eq!(
        texts(&see(3_720, 10)),
        ["Few seats of MLM:Simulink on lic1 are free: 0 of 10, seen so since 2026-11-25 10:00 UTC"]
    );
}

#[test]
fn nothing_begins_or_ends_while_no_report_comes() {
    let mut concerns = Concerns::default();
    let mut see = |second, minute| concerns.see_source(at(second), &full(minute), &few());
    assert_eq!(see(0, Some(0)), []);
    assert_eq!(see(60, None), []);
    assert_eq!(see(3_600, Some(60)), [], "nobody knows what was meanwhile");
    assert_eq!(see(4_200, Some(70)).len(), 1);
    for second in (4_260..90_000).step_by(60) {
        assert_eq!(see(second, None), []);
    }
    let mut free = full(Some(2_000));
    free.seats.as_mut().unwrap().products[0].in_use = 5;
    assert_eq!(concerns.see_source(at(90_060), &free, &few()), []);
    let over = concerns.see_source(at(90_660), &free, &few());
    assert!(matches!(over[..], [Notice::Ended { .. }]), "{over:?}");
}

fn owned(seats: u64, from: Option<&str>, to: Option<&str>) -> SourceEntitlement {
    let day = |day: &str| day.parse().unwrap();
    SourceEntitlement {
        product: "MLM:Simulink".to_owned(),
        seats,
        from: from.map(day),
        to: to.map(day),
    }
}

fn ending(entitlements: &[SourceEntitlement]) -> Vec<String> {
    let facts = SourceFacts {
        entitlements: entitlements.to_vec(),
        ..source()
    };
    let mut concerns = Concerns::default();
    texts(&concerns.see_source(at(0), &facts, &Thresholds::default()))
}

#[test]
fn seats_that_end_within_a_month_are_told_unless_others_take_over() {
    let ends = owned(4, None, Some("2026-12-20"));
    let one = owned(1, None, Some("2026-12-20"));
    assert_eq!(
        ending(&[ends.clone(), owned(6, None, None)]),
        [
            "4 seats of MLM:Simulink, as lic1 tells, end on 2026-12-20: from then on 6 seats are left"
        ]
    );
    assert_eq!(
        ending(&[one]),
        [
            "1 seat of MLM:Simulink, as lic1 tells, ends on 2026-12-20: from then on 0 seats are left"
        ]
    );
    assert_eq!(ending(&[owned(4, None, Some("2026-12-26"))]), [""; 0]);
    assert_eq!(ending(&[owned(4, None, Some("2026-11-24"))]), [""; 0]);
    for from in ["2026-12-15", "2026-12-21"] {
        let next = owned(4, Some(from), Some("2027-12-20"));
        assert_eq!(ending(&[ends.clone(), next]), [""; 0], "{from}");
    }
    let too_late = owned(4, Some("2026-12-23"), None);
    assert_eq!(ending(&[ends.clone(), too_late]).len(), 1);
    let fewer = owned(3, Some("2026-12-21"), None);
    assert_eq!(ending(&[ends, fewer]).len(), 1);
}

#[test]
fn a_source_that_came_in_regularly_and_does_not_is_told_and_no_other() {
    let silent = |hours: i64, imports, days| {
        let facts = SourceFacts {
            imported_ms: NOW_MS - hours * HOUR_MS,
            imports_of_week: imports,
            days_of_week: days,
            ..source()
        };
        let mut concerns = Concerns::default();
        texts(&concerns.see_source(at(0), &facts, &Thresholds::default()))
    };
    assert_eq!(
        silent(96, 10, 1),
        ["Nothing has been imported of lic1 since 2026-11-21 10:00 UTC"]
    );
    assert_eq!(silent(96, 3, 3).len(), 1);
    assert_eq!(silent(95, 10, 3).len(), 0, "a long weekend");
    assert_eq!(silent(1_000, 1, 1).len(), 0, "a file that was read once");
    assert_eq!(silent(1_000, 9, 2).len(), 0);
    assert_eq!(silent(91 * 24, 10, 3).len(), 0, "it is gone");
    assert_eq!(NOW_MS % DAY_MS, 10 * HOUR_MS);
}

#[test]
fn all_that_is_open_ends_when_the_source_is_there_no_more() {
    let mut concerns = Concerns::default();
    concerns.resume(Kind::SourceSilent, String::new(), 3, at(0));
    concerns.resume(Kind::FewFree, "a".to_owned(), 3, at(0));
    assert_eq!(concerns.end_all().len(), 2);
    assert_eq!(concerns.end_all(), []);
}
