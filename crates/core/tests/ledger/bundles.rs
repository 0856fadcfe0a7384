//! Several products in one ask: a solver and the packs that it needs.

use usher_core::ledger::*;

use crate::world::*;

fn asks_for(first: &str, others: &[&str], user: &str, wait: bool) -> Checkout {
    let with = |product: &&str| With {
        product: (*product).into(),
        seats: 1,
    };
    Checkout {
        also: others.iter().map(with).collect(),
        ..asks(first, user, 1, wait, 0)
    }
}

fn both(w: &mut World, user: &str) -> Reply {
    w.tell(Command::Checkout(asks_for(
        "solver",
        &["pack"],
        user,
        false,
    )))
}

fn both_granted(w: &mut World, user: &str) -> (Lease, Box<[Also]>) {
    match both(w, user) {
        Reply::Granted { lease, also } => (lease, also),
        other => panic!("{user} was not granted both: {other:?}"),
    }
}

fn both_queued(w: &mut World, first: &str, other: &str, user: &str) -> TicketId {
    match w.tell(Command::Checkout(asks_for(first, &[other], user, true))) {
        Reply::Queued(view) => view.ticket.id,
        reply => panic!("{user} was not queued: {reply:?}"),
    }
}

fn in_use(w: &World, product: &str) -> u64 {
    w.ledger.product(product).unwrap().1.in_use
}

fn is_granted(view: &TicketView) -> bool {
    matches!(view.ticket.state, TicketState::Granted { .. })
}

fn world(solvers: u32, packs: u32) -> World {
    let mut w = World::new();
    w.product("solver", solvers);
    w.product("pack", packs);
    w
}

#[test]
fn all_products_of_an_ask_are_granted_or_none() {
    let mut w = world(2, 1);
    let (lease, also) = both_granted(&mut w, "ada");
    assert_eq!(also.len(), 1);
    assert_eq!(&*also[0].product, "pack");
    assert_eq!(in_use(&w, "solver"), 1);
    assert_eq!(in_use(&w, "pack"), 1);
    // A solver is free, a pack is not: the refusal is the pack's.
    let Reply::Denied {
        product, reason, ..
    } = both(&mut w, "bob")
    else {
        panic!("bob was granted a pack that is in use");
    };
    assert_eq!((&*product, reason), ("pack", Reason::NoSeat));
    assert_eq!(in_use(&w, "solver"), 1);
    w.checkin(lease.id);
    assert_eq!((in_use(&w, "solver"), in_use(&w, "pack")), (0, 0));
    assert!(w.recovers());
}

#[test]
fn what_there_are_too_few_seats_of_at_all_is_told_before_what_is_in_use() {
    let mut w = world(1, 2);
    w.granted("solver", "ada");
    let mut asked = asks_for("solver", &["pack"], "bob", false);
    asked.also[0].seats = 3;
    let Reply::Denied { product, seats, .. } = w.tell(Command::Checkout(asked)) else {
        panic!("there are not three packs");
    };
    assert_eq!((&*product, seats), ("pack", 3));
}

#[test]
fn what_was_asked_for_at_once_is_renewed_and_given_back_at_once_whichever_lease_is_named() {
    let mut w = world(1, 1);
    let (_, also) = both_granted(&mut w, "ada");
    let pack = also[0].lease.unwrap();
    w.pass(200);
    let Reply::Renewed { lease, also, .. } = w.renew(pack) else {
        panic!("it lives");
    };
    assert_eq!(lease.id, pack);
    assert_eq!(&*also[0].product, "solver");
    w.pass(200);
    assert_eq!((in_use(&w, "solver"), in_use(&w, "pack")), (1, 1));
    w.checkin(pack);
    assert_eq!((in_use(&w, "solver"), in_use(&w, "pack")), (0, 0));
}

#[test]
fn two_who_ask_for_the_same_two_products_in_another_order_never_wait_for_each_other() {
    let mut w = world(1, 1);
    let (held, _) = both_granted(&mut w, "ada");
    let bob = both_queued(&mut w, "solver", "pack", "bob");
    let cyd = both_queued(&mut w, "pack", "solver", "cyd");
    w.checkin(held.id);
    let served = w.poll(bob);
    assert!(is_granted(&served));
    assert_eq!(&*served.also[0].product, "pack");
    assert!(served.also[0].lease.is_some());
    assert_eq!(w.poll(cyd).position, 1);
    w.checkin(served.lease.unwrap().id);
    assert!(is_granted(&w.poll(cyd)));
    assert!(w.recovers());
}

#[test]
fn who_waits_for_two_products_is_overtaken_in_neither() {
    let mut w = world(1, 1);
    let pack = w.granted("pack", "ada");
    let bob = both_queued(&mut w, "solver", "pack", "bob");
    // The solver is free, and bob is first for it.
    assert!(matches!(w.checkout("solver", "cyd"), Reply::Denied { .. }));
    let behind = w.queued("solver", "dan");
    assert_eq!(w.poll(bob).position, 1);
    w.checkin(pack.id);
    assert!(is_granted(&w.poll(bob)));
    assert_eq!(w.poll(behind).position, 1);
}

#[test]
fn who_leaves_both_queues_makes_way_in_both() {
    let mut w = world(1, 1);
    w.granted("pack", "ada");
    let bob = both_queued(&mut w, "pack", "solver", "bob");
    let behind = w.queued("solver", "dan");
    let cancel = Command::Cancel {
        ticket: bob,
        access: Access::Anyone,
    };
    w.tell(cancel);
    assert!(is_granted(&w.poll(behind)));
    assert!(w.recovers());
}

#[test]
fn who_is_not_polled_loses_both_places() {
    let mut w = world(1, 1);
    w.granted("pack", "ada");
    both_queued(&mut w, "pack", "solver", "bob");
    let behind = w.queued("solver", "dan");
    for _ in 0..29 {
        w.pass(1);
        w.poll(behind);
    }
    assert!(!is_granted(&w.poll(behind)));
    w.pass(1);
    assert!(is_granted(&w.poll(behind)));
}

#[test]
fn a_bundle_of_which_one_product_shrinks_is_passed_over_in_both_and_refused_after_a_minute() {
    let mut w = World::new();
    w.product("solver", 1);
    let packs = w.product("pack", 2).unwrap();
    let held = w.granted("solver", "ada");
    let wide = Checkout {
        also: vec![With {
            product: "pack".into(),
            seats: 2,
        }],
        ..asks("solver", "bob", 1, true, 0)
    };
    let Reply::Queued(view) = w.tell(Command::Checkout(wide)) else {
        panic!("bob was not queued");
    };
    let bob = view.ticket.id;
    let behind = w.queued("solver", "cyd");
    w.tell(Command::ChangeEntitlement {
        entitlement: packs,
        terms: terms("pack", 1),
    });
    w.checkin(held.id);
    assert!(is_granted(&w.poll(behind)), "bob is in nobody's way");
    for _ in 0..60 {
        w.poll(bob);
        w.pass(1);
    }
    let TicketState::Denied {
        decision, reason, ..
    } = w.poll(bob).ticket.state
    else {
        panic!("it still waits");
    };
    assert_eq!(reason, Reason::Impossible);
    let of_the_pack = w.events.iter().any(|(_, _, event)| {
        matches!(event, Event::Denied { denial, ask } if denial.id == decision
            && denial.seats == 2 && ask.also.len() == 1)
    });
    assert!(of_the_pack, "the refusal names what there is too little of");
    assert!(w.recovers());
}

#[test]
fn what_is_held_at_once_ends_when_one_of_its_products_does() {
    let mut w = World::new();
    w.product("solver", 1);
    w.product("pack", 0);
    let for_a_while = EntitlementTerms {
        to: Some(Bound::At(Wall(w.now.wall.0 + 100_000))),
        ..terms("pack", 1)
    };
    w.tell(Command::AddEntitlement(for_a_while));
    let (lease, also) = both_granted(&mut w, "ada");
    assert_eq!(lease.deadline.since_ms(w.now.steady), 100_000);
    let pack = w.ledger.lease(also[0].lease.unwrap().number).unwrap();
    assert_eq!(pack.deadline, lease.deadline);
    w.pass(60);
    w.renew(lease.id);
    w.pass(40);
    assert_eq!((in_use(&w, "solver"), in_use(&w, "pack")), (0, 0));
}

#[test]
fn a_product_that_is_removed_takes_who_waits_for_it_out_of_the_other_queues_too() {
    let mut w = world(1, 1);
    let held = w.granted("solver", "ada");
    let bob = both_queued(&mut w, "solver", "pack", "bob");
    let behind = w.queued("solver", "cyd");
    w.tell(Command::RemoveProduct {
        product: "pack".into(),
    });
    let state = w.poll(bob).ticket.state;
    assert!(matches!(state, TicketState::Cancelled { .. }), "{state:?}");
    w.checkin(held.id);
    assert!(is_granted(&w.poll(behind)));
    assert!(w.recovers());
}

#[test]
fn a_product_that_is_not_there_is_named_and_nothing_is_granted() {
    let mut w = world(1, 1);
    let reply = w.tell(Command::Checkout(asks_for(
        "solver",
        &["pakc"],
        "ada",
        true,
    )));
    assert_eq!(reply, Reply::UnknownOther("pakc".into()));
    assert_eq!(in_use(&w, "solver"), 0);
}

#[test]
fn the_ttl_of_several_is_what_all_of_them_allow() {
    let mut w = world(1, 1);
    w.tell(Command::PutProduct {
        spec: ProductSpec {
            max_ttl_seconds: 60,
            ..spec("pack")
        },
        new: false,
    });
    let asked = Checkout {
        ttl_seconds: None,
        ..asks_for("solver", &["pack"], "ada", false)
    };
    let Reply::Granted { lease, .. } = w.tell(Command::Checkout(asked)) else {
        panic!("it was not granted");
    };
    assert_eq!(lease.ttl_seconds, 60);
    let too_long = both(&mut w, "bob");
    assert_eq!(
        too_long,
        Reply::TtlTooLong {
            max_ttl_seconds: 60
        }
    );
}

#[test]
fn who_waits_behind_a_bundle_is_served_in_the_same_step_as_it() {
    let mut w = world(1, 2);
    let held = w.granted("solver", "ada");
    let bob = both_queued(&mut w, "solver", "pack", "bob");
    let behind = w.queued("pack", "cyd");
    let from = w.events.len();
    w.checkin(held.id);
    let granted =
        |(_, _, event): &&(Now, EventNumber, Event)| matches!(event, Event::Granted { .. });
    assert_eq!(w.events[from..].iter().filter(granted).count(), 3);
    assert!(is_granted(&w.poll(bob)));
    assert!(is_granted(&w.poll(behind)));
}

#[test]
fn who_waits_behind_a_bundle_goes_on_as_soon_as_that_cannot_be_served() {
    let mut w = World::new();
    w.product("solver", 1);
    let packs = w.product("pack", 2).unwrap();
    w.granted("pack", "ada");
    let wide = Checkout {
        also: vec![With {
            product: "pack".into(),
            seats: 2,
        }],
        ..asks("solver", "bob", 1, true, 0)
    };
    w.tell(Command::Checkout(wide));
    let behind = w.queued("solver", "cyd");
    w.tell(Command::ChangeEntitlement {
        entitlement: packs,
        terms: terms("pack", 1),
    });
    assert!(is_granted(&w.poll(behind)));
}

#[test]
fn a_bundle_of_which_one_product_is_switched_off_is_in_nobodys_way() {
    let mut w = world(1, 1);
    let held = w.granted("solver", "ada");
    let bob = both_queued(&mut w, "solver", "pack", "bob");
    let behind = w.queued("solver", "cyd");
    let put = |enabled| Command::PutProduct {
        spec: ProductSpec {
            enabled,
            ..spec("pack")
        },
        new: false,
    };
    w.tell(put(false));
    w.checkin(held.id);
    let served = w.poll(behind);
    assert!(is_granted(&served));
    // It is refused for nothing, and has its old place when the product is on again.
    for _ in 0..70 {
        w.pass(1);
        w.poll(bob);
    }
    w.tell(put(true));
    w.checkin(served.lease.unwrap().id);
    assert!(is_granted(&w.poll(bob)));
    assert!(w.recovers());
}

#[test]
fn a_product_that_is_removed_grants_nothing_to_who_waits_for_it_with_others() {
    let mut w = World::new();
    w.product("solver", 5);
    w.own("solver", 2);
    w.product("pack", 1);
    w.granted("solver", "ada");
    w.granted("solver", "ada");
    let wide = w.queued_with("solver", "bob", 6, 0);
    both_queued(&mut w, "solver", "pack", "cyd");
    w.tell(Command::RemoveProduct {
        product: "solver".into(),
    });
    let state = w.poll(wide).ticket.state;
    assert!(matches!(state, TicketState::Cancelled { .. }));
    assert_eq!(in_use(&w, "pack"), 0, "nobody holds it");
    w.granted("pack", "dan");
}

#[test]
fn where_one_wait_is_not_known_that_for_all_is_not() {
    let mut w = world(1, 1);
    let lease = w.granted("solver", "ada");
    w.pass(100);
    w.checkin(lease.id);
    w.granted("solver", "ada");
    let alone = w.queued("solver", "bob");
    let both = both_queued(&mut w, "solver", "pack", "cyd");
    assert!(w.poll(alone).expected_wait_seconds.is_some());
    let view = w.poll(both);
    assert_eq!((view.position, view.expected_wait_seconds), (2, None));
    let (place, wait) = w.ledger.place(w.ledger.ticket(both.number).unwrap());
    assert!(
        place == 2 && wait.is_some(),
        "of the solver's queue it is known"
    );
}

#[test]
fn a_name_that_was_made_up_is_no_answer_to_keep() {
    let mut w = world(1, 1);
    let once = |other: &str| Command::Once {
        key: 1,
        body: 1,
        command: Box::new(Command::Checkout(asks_for(
            "solver",
            &[other],
            "ada",
            false,
        ))),
    };
    assert_eq!(w.tell(once("later")), Reply::UnknownOther("later".into()));
    w.product("later", 1);
    assert!(matches!(w.tell(once("later")), Reply::Granted { .. }));
}
