//! How concerns are told: once each, bounded, and over only when they are.

use usher_core::concerns::{
    CONCERNS_OF_A_KIND, Concerns, EntitlementFact, Facts, Kind, Notice, Thresholds,
};

use super::{DAY_MS, agent, at, well};

fn silent(count: u32) -> Facts {
    Facts {
        agents: (0..count).map(|number| agent(number, 5 * DAY_MS)).collect(),
        ..well()
    }
}

fn see(concerns: &mut Concerns, second: u64, facts: &Facts) -> Vec<Notice> {
    concerns.see(at(second), "alpha", facts, &Thresholds::default())
}

#[test]
fn a_concern_is_told_once_and_is_over_after_some_calm() {
    let mut concerns = Concerns::default();
    let began = see(&mut concerns, 0, &silent(1));
    assert!(matches!(&began[..], [Notice::Began(_)]), "{began:?}");
    for second in 1..900 {
        assert_eq!(see(&mut concerns, second, &silent(1)), []);
    }
    let later = see(&mut concerns, 900, &silent(1));
    assert!(matches!(&later[..], [Notice::GoesOn(_, 901)]), "{later:?}");
    assert_eq!(see(&mut concerns, 901, &well()), []);
    // It wavers: it was not over.
    assert_eq!(see(&mut concerns, 1_400, &silent(1)), []);
    assert_eq!(see(&mut concerns, 1_401, &well()), []);
    assert_eq!(see(&mut concerns, 2_000, &well()), []);
    let ended = Notice::Ended {
        kind: Kind::AgentSilent,
        about: "c0000".to_owned(),
    };
    assert_eq!(see(&mut concerns, 2_001, &well()), [ended]);
    assert_eq!(see(&mut concerns, 2_002, &well()), []);
    let again = see(&mut concerns, 2_003, &silent(1));
    assert!(matches!(&again[..], [Notice::Began(_)]), "{again:?}");
}

#[test]
fn what_people_have_entered_is_over_at_the_next_look() {
    let mut concerns = Concerns::default();
    let ends = EntitlementFact {
        id: "E7".to_owned(),
        ends_ms: well().at_ms + 20 * DAY_MS,
        seats_before: 5,
        notice_days: Some(30),
        ..EntitlementFact::default()
    };
    let facts = |seats_after: u64| Facts {
        entitlements: vec![EntitlementFact {
            seats_after,
            ..ends.clone()
        }],
        ..well()
    };
    assert_eq!(see(&mut concerns, 0, &facts(0)).len(), 2);
    let ended = |kind| Notice::Ended {
        kind,
        about: "E7".to_owned(),
    };
    // The renewal is entered.
    assert_eq!(
        see(&mut concerns, 10, &facts(5)),
        [ended(Kind::EntitlementEnds), ended(Kind::NoticeDue)]
    );
}

#[test]
fn a_flood_of_concerns_is_a_hundred_and_a_number() {
    let mut concerns = Concerns::default();
    let count = |notices: &[Notice]| {
        let began = notices.iter().filter(|it| matches!(it, Notice::Began(_)));
        began.count()
    };
    let first = see(&mut concerns, 0, &silent(1_000));
    assert_eq!(count(&first), CONCERNS_OF_A_KIND);
    let more = Notice::TooMany {
        kind: Kind::AgentSilent,
        more: 900,
    };
    assert!(first.contains(&more), "{:?}", first.last());
    assert_eq!(see(&mut concerns, 1, &silent(1_001)), [], "said once");
    let doubled = see(&mut concerns, 2, &silent(2_000));
    assert_eq!(count(&doubled), 0);
    assert_eq!(doubled.len(), 1, "{doubled:?}");
}

#[test]
fn a_manager_that_comes_back_tells_nothing_twice() {
    let mut concerns = Concerns::default();
    concerns.resume(Kind::AgentSilent, "c0000".to_owned(), 41, at(0));
    let notices = see(&mut concerns, 1, &silent(1));
    assert!(
        matches!(&notices[..], [Notice::GoesOn(_, 42)]),
        "{notices:?}"
    );
}
