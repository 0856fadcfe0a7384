//! Pairs and peaks, against a naive count.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::fact::{Holder, Owned, Until};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn ask(second: i64, name: &str, user: &str, seats: u32) -> Ask {
    Ask {
        at: at(second),
        feature: Feature {
            daemon: Some("d".to_owned()),
            name: name.to_owned(),
        },
        holder: Holder {
            user: user.to_owned(),
            host: "pc".to_owned(),
            display: None,
        },
        seats,
        version: None,
        handle: None,
        package: None,
    }
}

fn out(second: i64, name: &str, user: &str, seats: u32) -> Fact {
    Fact::Checkout(ask(second, name, user, seats))
}

fn back(second: i64, name: &str, user: &str, seats: u32) -> Fact {
    Fact::Checkin(ask(second, name, user, seats))
}

fn licence(name: &str, grouping: Option<&str>) -> Groupings {
    let mut groupings = Groupings::default();
    let feature = ask(0, name, "", 1).feature;
    groupings.learn(&Owned {
        grouping: grouping.map(str::to_owned),
        ..Owned::new(feature, Some(10), Until::Permanent)
    });
    groupings
}

fn paired(groupings: Groupings, facts: &[Fact]) -> (Vec<Use>, Totals) {
    let mut uses = Vec::new();
    let mut pairing = Pairing::new(groupings);
    for fact in facts {
        pairing.take(fact, &mut |used| uses.push(used));
    }
    let totals = pairing.finish(&mut |used| uses.push(used));
    (uses, totals)
}

fn counts<'t>(totals: &'t Totals, name: &str) -> &'t FeatureCounts {
    let found = totals
        .features
        .iter()
        .find(|counts| counts.feature.name == name);
    found.expect("the feature was counted")
}

#[test]
fn a_use_that_ends_when_another_begins_does_not_overlap_it_whatever_the_order_of_the_lines() {
    for swapped in [false, true] {
        let mut facts = vec![
            out(0, "f", "ann", 1),
            back(10, "f", "ann", 1),
            out(10, "f", "bob", 1),
            back(20, "f", "bob", 1),
        ];
        if swapped {
            facts.swap(1, 2);
        }
        let (uses, totals) = paired(Groupings::default(), &facts);
        assert_eq!(uses.len(), 2);
        assert_eq!(
            counts(&totals, "f").lines,
            Peak {
                count: 1,
                at: Some(at(0))
            }
        );
    }
}

#[test]
fn a_use_of_no_length_counts_once_at_its_instant() {
    let facts = [
        out(0, "f", "ann", 1),
        out(5, "f", "bob", 1),
        back(5, "f", "bob", 1),
        out(5, "f", "cat", 1),
        back(5, "f", "cat", 1),
    ];
    let (uses, totals) = paired(Groupings::default(), &facts);
    let counted = counts(&totals, "f");
    assert_eq!(
        counted.lines,
        Peak {
            count: 3,
            at: Some(at(5))
        }
    );
    assert_eq!(
        (counted.checkouts, counted.checkins, counted.open_at_end),
        (3, 2, 1)
    );
    assert_eq!(counted.users, 3);
    assert_eq!(
        uses.iter()
            .filter(|used| used.until == Some(used.from))
            .count(),
        2
    );
}

#[test]
fn seats_are_known_only_with_a_licence_and_by_its_grouping() {
    let facts = [
        out(0, "f", "ann", 4),
        out(1, "f", "ann", 2),
        out(2, "f", "bob", 1),
    ];
    let seats = |groupings| {
        let (_, totals) = paired(groupings, &facts);
        let counted = counts(&totals, "f").clone();
        assert_eq!((counted.lines.count, counted.users_hosts.count), (3, 2));
        counted.seats.map(|peak| peak.count)
    };
    assert_eq!(seats(Groupings::default()), None);
    assert_eq!(seats(licence("F", None)), Some(7));
    assert_eq!(seats(licence("f", Some("UHD"))), Some(5));
    assert_eq!(seats(licence("f", Some("H"))), Some(4));
    assert_eq!(seats(licence("f", Some("SITE"))), Some(4));
    assert_eq!(seats(licence("f", Some("UV"))), None);
}

#[test]
fn seats_may_come_back_in_parts_and_together() {
    let facts = [
        out(0, "f", "ann", 20),
        back(5, "f", "ann", 12),
        back(9, "f", "ann", 8),
        out(10, "f", "ann", 1),
        out(11, "f", "ann", 1),
        back(12, "f", "ann", 2),
    ];
    let (uses, totals) = paired(licence("f", None), &facts);
    let untils: Vec<Option<Timestamp>> = uses.iter().map(|used| used.until).collect();
    assert_eq!(untils, [Some(at(9)), Some(at(12)), Some(at(12))]);
    assert_eq!(
        counts(&totals, "f").seats,
        Some(Peak {
            count: 20,
            at: Some(at(0))
        })
    );
    assert_eq!(counts(&totals, "f").open_at_end, 0);
}

#[test]
fn a_daemon_that_ends_ends_its_uses_and_no_others() {
    let mut other = ask(1, "g", "bob", 1);
    other.feature.daemon = Some("e".to_owned());
    let facts = [
        out(0, "f", "ann", 1),
        Fact::Checkout(other),
        Fact::Ended {
            at: at(7),
            daemon: Some("d".to_owned()),
        },
        back(8, "f", "ann", 1),
    ];
    let (uses, totals) = paired(Groupings::default(), &facts);
    assert_eq!(uses[0].until, Some(at(7)));
    assert_eq!(uses[0].ending, Ending::Daemon);
    assert_eq!((uses[1].until, uses[1].ending), (None, Ending::Open));
    assert_eq!(counts(&totals, "f").unmatched_checkins, 1);
}

#[test]
fn package_and_component_of_one_start_are_one_use_in_either_order() {
    let mut part = ask(1, "comp", "ann", 1);
    part.package = Some("pkg".to_owned());
    let package = out(0, "pkg", "ann", 1);
    for facts in [
        [package.clone(), Fact::Checkout(part.clone())],
        [Fact::Checkout(part.clone()), package.clone()],
    ] {
        let (uses, totals) = paired(Groupings::default(), &facts);
        assert_eq!(uses.len(), 1);
        assert_eq!(uses[0].feature.name, "pkg");
        assert_eq!(uses[0].components, ["comp"]);
        // The lines are counted as they are.
        assert_eq!(counts(&totals, "comp").checkouts, 1);
        assert_eq!(counts(&totals, "pkg").checkouts, 1);
    }
    let later = [package, Fact::Checkout(Ask { at: at(60), ..part })];
    assert_eq!(paired(Groupings::default(), &later).0.len(), 2);
}

#[test]
fn a_package_that_is_told_after_its_component_is_one_use_with_it() {
    let facts = [
        out(0, "comp", "ann", 1),
        Fact::Consists {
            package: ask(0, "pkg", "", 1).feature,
            component: "comp".to_owned(),
        },
        out(0, "pkg", "ann", 3),
    ];
    let (uses, _) = paired(Groupings::default(), &facts);
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].feature.name.as_str(), uses[0].seats), ("pkg", 3));
}

#[test]
fn a_clock_that_was_set_back_is_counted_and_makes_no_use_end_before_it_begins() {
    let facts = [
        out(100, "f", "ann", 1),
        Fact::ClockSet {
            at: at(50),
            seconds: -50,
        },
        back(60, "f", "ann", 1),
        out(70, "f", "bob", 1),
    ];
    let (uses, totals) = paired(Groupings::default(), &facts);
    assert_eq!((uses[0].from, uses[0].until), (at(100), Some(at(100))));
    assert_eq!(totals.clock_changes, 1);
    assert_eq!(counts(&totals, "f").lines.count, 1);
    assert_eq!((totals.from, totals.to), (Some(at(60)), Some(at(100))));
}

/// The most uses at once, and the first instant of it, by looking at every beginning.
fn naive(uses: &[(i64, i64)]) -> Peak {
    let mut starts: Vec<i64> = uses.iter().map(|(from, _)| *from).collect();
    starts.sort_unstable();
    let mut peak = Peak::default();
    for now in starts {
        let running = |(from, until): &&(i64, i64)| {
            (*from <= now && now < *until) || (from == until && *from == now)
        };
        let count = uses.iter().filter(running).count() as u64;
        if count > peak.count {
            peak = Peak {
                count,
                at: Some(at(now)),
            };
        }
    }
    peak
}

proptest! {
    #[test]
    fn the_peak_of_the_sweep_is_that_of_a_naive_count(
        spans in proptest::collection::vec((0_i64..40, 0_i64..12, 0_usize..6), 0..60),
    ) {
        // Each use has a person of its own, so that all pairs are sure.
        let uses: Vec<(i64, i64)> = spans.iter().map(|(from, long, _)| (*from, from + long)).collect();
        let mut facts = Vec::new();
        for (place, (from, until)) in uses.iter().enumerate() {
            let user = format!("u{place}");
            // Of one instant: beginnings before ends, or the other way about, as the log has it.
            let order = i64::try_from(spans[place].2).expect("small");
            facts.push((*from, order % 2, 0, out(*from, "f", &user, 1)));
            let after = if from == until { order % 2 } else { order / 2 };
            facts.push((*until, after, 1, back(*until, "f", &user, 1)));
        }
        facts.sort_by_key(|(at, order, last, _)| (*at, *order, *last));
        let facts: Vec<Fact> = facts.into_iter().map(|(_, _, _, fact)| fact).collect();
        let (paired, totals) = paired(licence("f", None), &facts);
        prop_assert_eq!(paired.len(), uses.len());
        if !uses.is_empty() {
            let counted = counts(&totals, "f");
            let expected = naive(&uses);
            prop_assert_eq!(counted.lines, expected);
            prop_assert_eq!(counted.users_hosts, expected);
            prop_assert_eq!(counted.seats, Some(expected));
            prop_assert_eq!(counted.open_at_end, 0);
            prop_assert_eq!(counted.unmatched_checkins, 0);
        }
    }

    #[test]
    fn no_facts_in_any_order_break_the_counts(
        steps in proptest::collection::vec((0_i64..50, 0_u8..6, 0_u8..3, 1_u32..5), 0..80),
    ) {
        let facts: Vec<Fact> = steps
            .iter()
            .map(|(second, kind, who, seats)| {
                let user = format!("u{who}");
                match kind {
                    0 | 1 => out(*second, "f", &user, *seats),
                    2 => back(*second, "f", &user, *seats),
                    3 => Fact::Inactive(ask(*second, "f", &user, *seats)),
                    4 => Fact::ClockSet { at: at(*second), seconds: -1 },
                    _ => Fact::Began { at: at(*second), daemon: Some("d".to_owned()) },
                }
            })
            .collect();
        let (uses, totals) = paired(licence("f", Some("UH")), &facts);
        for used in &uses {
            prop_assert!(used.until.is_none_or(|until| until >= used.from));
        }
        if let Some(counted) = totals.features.first() {
            prop_assert_eq!(uses.len() as u64, counted.checkouts);
            prop_assert!(counted.users_hosts.count <= counted.lines.count);
        }
    }
}
