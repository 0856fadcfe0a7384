//! Entitlements that end: soon, and so that notice is due.

use usher_core::concerns::{EntitlementFact, Facts, Thresholds, judge};

use super::{DAY_MS, NOW_MS, found, texts, well};

pub(crate) fn ends(days: i64, seats_after: u64) -> Facts {
    Facts {
        entitlements: vec![EntitlementFact {
            id: "E7".to_owned(),
            product: "CAD".to_owned(),
            seats: 40,
            ends_ms: NOW_MS + days * DAY_MS,
            last_day: None,
            seats_before: 50,
            seats_after,
            ..EntitlementFact::default()
        }],
        ..well()
    }
}

#[test]
fn an_entitlement_that_ends_within_a_month_and_takes_seats_away_is_told_of() {
    assert_eq!(
        texts(&ends(29, 10)),
        [
            "The entitlement E7 of CAD with 40 seats ends on 2026-12-24: from then on 10 seats are left"
        ]
    );
    let mut in_its_zone = ends(29, 10);
    in_its_zone.entitlements[0].last_day = Some("2026-12-23".to_owned());
    assert!(texts(&in_its_zone)[0].contains("ends on 2026-12-23:"));
    assert_eq!(found(&ends(31, 10)), [], "not yet");
    assert_eq!(found(&ends(29, 50)), [], "another takes over");
    assert_eq!(found(&ends(-1, 10)), [], "it has ended");
}

#[test]
fn an_entitlement_that_ends_is_named_with_its_contract() {
    let mut facts = ends(29, 10);
    facts.entitlements[0].name = Some("cad-2026".to_owned());
    assert!(texts(&facts)[0].starts_with("The entitlement cad-2026 (E7) of CAD with"));
    facts.entitlements[0].contract = Some("A-4711".to_owned());
    assert!(texts(&facts)[0].starts_with("The entitlement cad-2026 (E7, contract A-4711) of CAD"));
    facts.entitlements[0].name = None;
    assert!(texts(&facts)[0].starts_with("The entitlement E7 (contract A-4711) of CAD"));
}

#[test]
fn notice_on_an_entitlement_is_told_of_before_it_is_due_and_after() {
    let notice = |days: i64, seats_after: u64| {
        let mut facts = ends(days, seats_after);
        let it = &mut facts.entitlements[0];
        it.name = Some("cad-2026".to_owned());
        it.contract = Some("A-4711".to_owned());
        it.price = Some("15000 EUR/year".to_owned());
        it.notice_days = Some(90);
        facts
    };
    assert_eq!(
        texts(&notice(103, 10)),
        [
            "Notice on the entitlement cad-2026 (E7, contract A-4711, 15000 EUR/year) of CAD is to be given by 2026-12-08: it ends on 2027-03-08, and 40 seats go with it"
        ]
    );
    assert_eq!(found(&notice(105, 10)), [], "not yet");
    assert_eq!(found(&notice(103, 50)), [], "another takes over");
    let past = texts(&notice(72, 49));
    assert_eq!(past.len(), 1);
    assert!(
        past[0].ends_with(
            "is to be given by 2026-11-07, which is past: it ends on 2027-02-05, and 1 seat goes with it"
        ),
        "{past:?}"
    );
    assert!(
        past[0].contains(
            "cad-2026 (E7, contract A-4711, 15000 EUR/year, 39 of its 40 seats are renewed)"
        ),
        "{past:?}"
    );
    assert_eq!(found(&notice(-1, 10)), [], "it has ended");
    let mut none = notice(72, 10);
    none.entitlements[0].notice_days = Some(0);
    assert_eq!(found(&none), [], "no days of notice");
    let never = Thresholds {
        notice_days_ahead: 0,
        ..Thresholds::default()
    };
    assert_eq!(judge("alpha", &past_facts(), &never, &|_, _| false), []);
}

/// Notice was to be given on an entitlement that ends long after.
fn past_facts() -> Facts {
    let mut facts = ends(72, 10);
    facts.entitlements[0].notice_days = Some(90);
    facts
}
