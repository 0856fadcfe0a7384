//! What becomes of seats and leases when what is owned changes.

use usher_core::ledger::*;

use super::reason;
use crate::world::*;

#[test]
fn shrinking_what_is_owned_throws_nobody_out_and_lets_nobody_in_until_it_fits() {
    let mut w = World::new();
    let entitlement = w.product("cad", 3).unwrap();
    let leases: Vec<Lease> = ["ada", "bob", "cyd"]
        .map(|user| w.granted("cad", user))
        .into();
    w.tell(Command::ChangeEntitlement {
        entitlement,
        terms: terms("cad", 1),
    });
    assert!(
        leases
            .iter()
            .all(|lease| matches!(w.renew(lease.id), Reply::Renewed { .. }))
    );
    w.checkin(leases[0].id);
    w.checkin(leases[1].id);
    assert_eq!(reason(w.checkout("cad", "dan")), Reason::NoSeat);
    w.checkin(leases[2].id);
    w.granted("cad", "dan");
}

#[test]
fn a_removed_product_grants_nothing_but_its_leases_run_on() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    w.tell(Command::RemoveProduct {
        product: "cad".into(),
    });
    assert_eq!(w.checkout("cad", "cyd"), Reply::UnknownProduct);
    assert!(matches!(
        w.poll(ticket).ticket.state,
        TicketState::Cancelled { .. }
    ));
    assert!(matches!(w.renew(lease.id), Reply::Renewed { .. }));
    // Made again, it still counts the lease that is out.
    w.product("cad", 1);
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 1);
}

#[test]
fn a_lease_never_outlives_its_entitlement_and_moves_to_one_that_lasts() {
    let mut w = World::new();
    w.product("cad", 0);
    let ends = EntitlementTerms {
        to: Some(Bound::At(Wall(w.now.wall.0 + 100_000))),
        ..terms("cad", 1)
    };
    w.tell(Command::AddEntitlement(ends));
    let lease = w.granted("cad", "ada");
    assert_eq!(lease.deadline, w.now.steady.plus_seconds(100));
    w.own("cad", 1);
    let Reply::Renewed { lease, .. } = w.renew(lease.id) else {
        panic!("not renewed")
    };
    assert_eq!(lease.deadline, w.now.steady.plus_seconds(300));
}

#[test]
fn a_lease_of_what_is_owned_no_more_lives_as_long_as_it_was_told_and_no_longer() {
    let remove = |w: &mut World, entitlement| w.tell(Command::RemoveEntitlement { entitlement });
    let remove_product = |w: &mut World, _| {
        let product = "cad".into();
        w.tell(Command::RemoveProduct { product })
    };
    let to_nothing = |w: &mut World, entitlement| {
        let terms = terms("cad", 0);
        w.tell(Command::ChangeEntitlement { entitlement, terms })
    };
    type Way = fn(&mut World, EntitlementNumber) -> Reply;
    let ways: [Way; 3] = [remove, remove_product, to_nothing];
    for (number, way) in ways.into_iter().enumerate() {
        let mut w = World::new();
        let entitlement = w.product("cad", 1).unwrap();
        let lease = w.granted("cad", "ada");
        way(&mut w, entitlement);
        for _ in 0..2 {
            w.pass(100);
            let Reply::Renewed { lease: renewed, .. } = w.renew(lease.id) else {
                panic!("way {number}: thrown out")
            };
            assert_eq!(renewed.deadline, lease.deadline, "way {number}");
        }
        w.pass(101);
        assert_eq!(w.renew(lease.id), Reply::UnknownLease, "way {number}");
        assert!(w.recovers());
    }
}

#[test]
fn a_lease_of_an_entitlement_that_was_removed_moves_to_another_that_has_room() {
    let mut w = World::new();
    let first = w.product("cad", 1).unwrap();
    let lease = w.granted("cad", "ada");
    w.tell(Command::RemoveEntitlement { entitlement: first });
    w.own("cad", 1);
    for _ in 0..3 {
        w.pass(200);
        assert!(matches!(w.renew(lease.id), Reply::Renewed { .. }));
    }
    assert_eq!(reason(w.checkout("cad", "bob")), Reason::NoSeat);
}

#[test]
fn seats_of_several_entitlements_are_one_pool_and_a_wide_lease_may_draw_on_all() {
    let mut w = World::new();
    w.product("cad", 3);
    w.own("cad", 2);
    let reply = w.tell(Command::Checkout(asks("cad", "ada", 5, false, 0)));
    let Reply::Granted { lease, .. } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(lease.draws.len(), 2);
    w.checkin(lease.id);
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 0);
}

#[test]
fn seats_that_are_held_count_also_when_what_they_came_from_was_replaced() {
    let mut w = World::new();
    let first = w.product("cad", 1).unwrap();
    let ada = w.granted("cad", "ada");
    w.tell(Command::RemoveEntitlement { entitlement: first });
    w.own("cad", 1);
    assert_eq!(reason(w.checkout("cad", "bob")), Reason::NoSeat);
    let ticket = w.queued("cad", "cyd");
    w.tell(Command::RemoveProduct {
        product: "cad".into(),
    });
    w.product("cad", 1);
    assert_eq!(reason(w.checkout("cad", "bob")), Reason::NoSeat);
    w.checkin(ada.id);
    w.granted("cad", "bob");
    assert!(!matches!(
        w.poll(ticket).ticket.state,
        TicketState::Granted { .. }
    ));
}

#[test]
fn overdraft_lets_more_in_than_are_owned() {
    let mut w = World::new();
    w.product("cad", 0);
    w.tell(Command::AddEntitlement(EntitlementTerms {
        model: Model::Concurrent {
            seats: 1,
            overdraft: 1,
        },
        ..terms("cad", 1)
    }));
    w.granted("cad", "ada");
    w.granted("cad", "bob");
    assert_eq!(reason(w.checkout("cad", "cyd")), Reason::NoSeat);
}

#[test]
fn an_entitlement_that_begins_while_people_wait_serves_them() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    let later = EntitlementTerms {
        from: Some(Bound::At(Wall(w.now.wall.0 + 10_000))),
        ..terms("cad", 1)
    };
    w.tell(Command::AddEntitlement(later));
    assert!(w.ledger.next_due().unwrap() <= w.now.steady.plus_seconds(1));
    w.pass(10);
    assert!(matches!(
        w.poll(ticket).ticket.state,
        TicketState::Granted { .. }
    ));
}
