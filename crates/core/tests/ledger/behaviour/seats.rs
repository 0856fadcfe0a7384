//! Seats that are granted, and refusals with their reasons.

use std::collections::BTreeSet;

use usher_core::ledger::*;

use super::reason;
use crate::world::*;

#[test]
fn a_seat_is_granted_while_one_is_free_and_refused_after() {
    let mut w = World::new();
    w.product("cad", 2);
    w.granted("cad", "ada");
    w.granted("cad", "bob");
    assert_eq!(reason(w.checkout("cad", "cyd")), Reason::NoSeat);
}

#[test]
fn every_lease_carries_the_allotment_that_its_seats_come_from() {
    let mut w = World::new();
    let entitlement = w.product("cad", 1).unwrap();
    let lease = w.granted("cad", "ada");
    let allotment = w
        .ledger
        .entitlement(entitlement)
        .unwrap()
        .entitlement
        .allotment;
    assert_eq!(
        lease.draws.as_slice(),
        [Draw {
            allotment,
            seats: 1
        }]
    );
}

#[test]
fn refusals_say_why() {
    let mut w = World::new();
    assert_eq!(w.checkout("cad", "ada"), Reply::UnknownProduct);
    w.product("cad", 0);
    assert_eq!(reason(w.checkout("cad", "ada")), Reason::NoEntitlement);
    let past = EntitlementTerms {
        to: Some(Bound::At(Wall(w.now.wall.0 - 1))),
        ..terms("cad", 3)
    };
    w.tell(Command::AddEntitlement(past));
    assert_eq!(reason(w.checkout("cad", "ada")), Reason::EntitlementExpired);
    let future = EntitlementTerms {
        from: Some(Bound::At(Wall(w.now.wall.0 + 1))),
        ..terms("cad", 3)
    };
    w.tell(Command::AddEntitlement(future));
    assert_eq!(reason(w.checkout("cad", "bob")), Reason::NotYetValid);
    let off = ProductSpec {
        enabled: false,
        ..spec("cad")
    };
    w.tell(Command::PutProduct {
        spec: off,
        new: false,
    });
    assert_eq!(reason(w.checkout("cad", "ada")), Reason::ProductDisabled);
}

#[test]
fn repeated_refusals_within_a_minute_are_one_counted() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    let Reply::Denied {
        decision: first, ..
    } = w.checkout("cad", "bob")
    else {
        panic!()
    };
    w.pass(59);
    let Reply::Denied {
        decision: again, ..
    } = w.checkout("cad", "bob")
    else {
        panic!()
    };
    assert_eq!(first, again);
    assert!(
        w.events
            .iter()
            .any(|(_, _, e)| matches!(e, Event::DeniedAgain { count: 2, .. }))
    );
    w.pass(1);
    let Reply::Denied {
        decision: later, ..
    } = w.checkout("cad", "bob")
    else {
        panic!()
    };
    assert_ne!(first, later);
}

/// Who asks for other numbers is refused something else, so that each is explained as it was; who
/// asks for ever other ones fills no disk.
#[test]
fn refusals_of_other_numbers_of_seats_are_told_apart_a_few_times() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    let mut refused = |seats| match w.tell(Command::Checkout(asks("cad", "bob", seats, false, 0))) {
        Reply::Denied { decision, .. } => decision,
        other => panic!("{other:?}"),
    };
    let (one, two) = (refused(1), refused(2));
    assert_ne!(one, two);
    assert_eq!(refused(2), two, "the same is one, counted");
    let all: BTreeSet<_> = (3..100).map(|seats| refused(seats).number).collect();
    assert_eq!(all.len(), usize::from(VARIANTS_LIMIT) - 2);
}

#[test]
fn who_says_no_ttl_gets_the_usual_one_or_the_products_maximum() {
    let mut w = World::new();
    for (product, max_ttl_seconds, expected) in
        [("cad", 86_400, DEFAULT_TTL_SECONDS), ("sim", 3, 3)]
    {
        w.product(product, 1);
        let spec = ProductSpec {
            max_ttl_seconds,
            ..spec(product)
        };
        w.tell(Command::PutProduct { spec, new: false });
        let asked = Checkout {
            ttl_seconds: None,
            ..asks(product, "ada", 1, false, 0)
        };
        match w.tell(Command::Checkout(asked)) {
            Reply::Granted { lease, .. } => assert_eq!(lease.ttl_seconds, expected),
            other => panic!("{product}: {other:?}"),
        }
    }
    let too_long = w.tell(Command::Checkout(asks("sim", "bob", 1, false, 0)));
    assert_eq!(too_long, Reply::TtlTooLong { max_ttl_seconds: 3 });
}
