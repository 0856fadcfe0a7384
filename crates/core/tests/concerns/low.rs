//! Few free seats: told after a time, never of what nobody looked at, and over only beyond the
//! threshold.

use proptest::prelude::*;
use usher_core::concerns::{Concern, Concerns, Facts, Kind, Notice, ProductFact, Thresholds};
use usher_core::messages::entry;

use super::{NOW_MS, at, well};

fn few(minutes: u32, seats: u32, percent: u32) -> Thresholds {
    Thresholds {
        free_minutes: minutes,
        free_seats: seats,
        free_percent: percent,
        // What is full is another concern.
        seats_percent: 0,
        ..Thresholds::default()
    }
}

fn facts(second: u64, seats: u64, in_use: u64) -> Facts {
    Facts {
        at_ms: NOW_MS + i64::try_from(second).unwrap() * 1_000,
        products: vec![ProductFact {
            id: "cad".to_owned(),
            name: "CAD".to_owned(),
            seats,
            in_use,
            queued: 0,
            refused_last_hour: 0,
        }],
        ..well()
    }
}

fn see(
    concerns: &mut Concerns,
    second: u64,
    (seats, in_use): (u64, u64),
    thresholds: &Thresholds,
) -> Vec<Notice> {
    let facts = facts(second, seats, in_use);
    concerns.see(at(second), "alpha", &facts, thresholds)
}

/// The text of the one concern that began.
fn began(notices: &[Notice]) -> String {
    let [Notice::Began(Concern { kind, values, .. })] = notices else {
        panic!("{notices:?}");
    };
    assert_eq!(*kind, Kind::FewFree);
    let entry = entry(kind.message_id());
    assert_eq!(entry.values(), values.len());
    entry.fill(values)
}

#[test]
fn few_free_seats_are_told_once_they_have_been_few_for_a_time() {
    let thresholds = few(10, 2, 0);
    let mut concerns = Concerns::default();
    for second in (0..600).step_by(30) {
        assert_eq!(see(&mut concerns, second, (50, 48), &thresholds), []);
    }
    assert_eq!(
        began(&see(&mut concerns, 600, (50, 48), &thresholds)),
        "Few seats of CAD on alpha are free: 2 of 50, seen so since 2026-11-25 10:00 UTC"
    );
    assert_eq!(see(&mut concerns, 630, (50, 48), &thresholds), [], "once");
}

#[test]
fn a_moment_with_more_free_seats_begins_the_time_anew() {
    let thresholds = few(10, 2, 0);
    let mut concerns = Concerns::default();
    for second in (0..1_170).step_by(30) {
        let in_use = if second == 570 { 47 } else { 48 };
        assert_eq!(see(&mut concerns, second, (50, in_use), &thresholds), []);
    }
    began(&see(&mut concerns, 1_200, (50, 48), &thresholds));
}

#[test]
fn a_time_in_which_nobody_looked_counts_for_nothing() {
    let thresholds = few(10, 2, 0);
    let mut concerns = Concerns::default();
    assert_eq!(see(&mut concerns, 0, (50, 50), &thresholds), []);
    assert_eq!(see(&mut concerns, 3_600, (50, 50), &thresholds), []);
    for second in (3_630..4_200).step_by(30) {
        assert_eq!(see(&mut concerns, second, (50, 50), &thresholds), []);
    }
    began(&see(&mut concerns, 4_200, (50, 50), &thresholds));
}

#[test]
fn what_is_told_is_over_after_calm_some_seats_beyond_the_threshold() {
    let thresholds = few(1, 0, 10);
    let mut concerns = Concerns::default();
    see(&mut concerns, 0, (100, 90), &thresholds);
    began(&see(&mut concerns, 60, (100, 90), &thresholds));
    // It wavers about the threshold for hours: one message.
    for second in (90..7_200).step_by(30) {
        let in_use = 86 + second / 30 % 5;
        let notices = see(&mut concerns, second, (100, in_use), &thresholds);
        let goes_on = |it: &Notice| matches!(it, Notice::GoesOn(..));
        assert!(notices.iter().all(goes_on), "{notices:?}");
    }
    assert_eq!(see(&mut concerns, 7_200, (100, 84), &thresholds), []);
    assert_eq!(see(&mut concerns, 7_770, (100, 84), &thresholds), []);
    let ended = Notice::Ended {
        kind: Kind::FewFree,
        about: "cad".to_owned(),
    };
    assert_eq!(see(&mut concerns, 7_800, (100, 84), &thresholds), [ended]);
}

#[test]
fn a_product_of_one_seat_is_over_when_that_is_free() {
    let thresholds = few(1, 0, 0);
    let mut concerns = Concerns::default();
    see(&mut concerns, 0, (1, 1), &thresholds);
    began(&see(&mut concerns, 60, (1, 1), &thresholds));
    assert_eq!(see(&mut concerns, 90, (1, 0), &thresholds), []);
    let over = see(&mut concerns, 700, (1, 0), &thresholds);
    assert!(matches!(over[..], [Notice::Ended { .. }]), "{over:?}");
}

#[test]
fn nothing_is_told_where_no_time_is_set_or_nothing_is_owned() {
    for (thresholds, seats) in [
        (
            Thresholds {
                free_minutes: 0,
                ..few(1, 9, 9)
            },
            5,
        ),
        (few(1, 9, 9), 0),
    ] {
        let mut concerns = Concerns::default();
        for second in (0..7_200).step_by(30) {
            assert_eq!(see(&mut concerns, second, (seats, seats), &thresholds), []);
        }
    }
}

proptest! {
    /// What begins was low at each look for as long as the threshold says, without a gap.
    #[test]
    fn no_concern_begins_without_looks_that_say_so(
        looks in proptest::collection::vec((1..600_u64, 0..=10_u64), 1..60),
        minutes in 1..20_u32,
        limit in 0..10_u32,
    ) {
        let thresholds = few(minutes, limit, 0);
        let mut concerns = Concerns::default();
        let (mut second, mut low_since) = (0, None);
        let mut before = 0;
        for (pause, free) in looks {
            second += pause;
            let notices = see(&mut concerns, second, (10, 10 - free), &thresholds);
            if free > u64::from(limit) {
                low_since = None;
            } else if low_since.is_none() || second - before > 300 {
                low_since = Some(second);
            }
            before = second;
            if notices.iter().any(|it| matches!(it, Notice::Began(_))) {
                let since = low_since.unwrap();
                prop_assert!(second - since >= u64::from(minutes) * 60, "{since} {second}");
            }
        }
    }
}
