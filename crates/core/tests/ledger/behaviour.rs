//! What a ledger does, a sentence each.

use std::collections::BTreeSet;

use usher_core::ledger::*;

use crate::world::*;

fn reason(reply: Reply) -> Reason {
    match reply {
        Reply::Denied { reason, .. } => reason,
        other => panic!("not denied: {other:?}"),
    }
}

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
fn a_seat_that_comes_back_goes_to_the_first_who_waits_in_the_same_step() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let first = w.queued("cad", "bob");
    let second = w.queued("cad", "cyd");
    assert_eq!((w.poll(first).position, w.poll(second).position), (1, 2));
    w.checkin(held.id);
    assert!(matches!(
        w.poll(first).ticket.state,
        TicketState::Granted { .. }
    ));
    assert_eq!(w.poll(second).position, 1);
    assert_eq!(reason(w.checkout("cad", "dan")), Reason::NoSeat);
}

#[test]
fn priority_comes_before_arrival_and_nobody_overtakes() {
    let mut w = World::new();
    w.product("cad", 2);
    let held = w.granted("cad", "ada");
    let wide = w.queued_with("cad", "bob", 2, 0);
    // One seat is free, but bob waits for two: it is kept for him.
    assert_eq!(reason(w.checkout("cad", "cyd")), Reason::NoSeat);
    // Who has a higher priority takes it.
    let urgent = w.tell(Command::Checkout(asks("cad", "dan", 1, true, 5)));
    assert!(matches!(urgent, Reply::Granted { .. }), "{urgent:?}");
    w.checkin(held.id);
    assert!(matches!(
        w.poll(wide).ticket.state,
        TicketState::Waiting { .. }
    ));
}

#[test]
fn a_request_for_more_seats_than_there_are_is_refused_instead_of_waiting_for_ever() {
    let mut w = World::new();
    w.product("cad", 2);
    let reply = w.tell(Command::Checkout(asks("cad", "ada", 3, true, 0)));
    assert_eq!(reason(reply), Reason::NoSeat);
}

#[test]
fn the_queue_is_bounded() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    for n in 0..5 {
        w.queued("cad", &format!("user{n}"));
    }
    let sixth = w.tell(Command::Checkout(asks("cad", "zoe", 1, true, 0)));
    assert_eq!(reason(sixth), Reason::QueueFull);
}

#[test]
fn a_lease_ends_when_its_ttl_passes_without_renewal_and_its_seat_moves_on_at_that_moment() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada");
    w.pass(299);
    assert!(matches!(w.renew(lease.id), Reply::Renewed { .. }));
    let ticket = w.queued("cad", "bob");
    for _ in 0..29 {
        w.pass(10);
        w.poll(ticket);
    }
    w.pass_ms(9_999);
    assert!(w.ledger.lease(lease.id.number).is_some());
    w.pass_ms(1);
    // Any command sees it: no tick is needed.
    let view = w.poll(ticket);
    assert!(matches!(view.ticket.state, TicketState::Granted { .. }));
    assert_eq!(w.renew(lease.id), Reply::UnknownLease);
}

#[test]
fn a_wall_clock_that_jumps_neither_frees_nor_extends_a_seat() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada");
    for jump in [86_400_000, -2 * 86_400_000_i64] {
        w.now.wall.0 += jump;
        w.tell(Command::Tick);
        assert_eq!(
            w.ledger.lease(lease.id.number).map(|l| l.deadline),
            Some(lease.deadline)
        );
    }
    w.pass(300);
    assert!(w.ledger.lease(lease.id.number).is_none());
}

#[test]
fn twenty_waiters_who_are_gone_do_not_hold_up_one_who_is_there() {
    let mut w = World::new();
    let wide = ProductSpec {
        queue_limit: 100,
        ..spec("cad")
    };
    w.tell(Command::PutProduct {
        spec: wide,
        new: true,
    });
    w.own("cad", 1);
    let held = w.granted("cad", "ada");
    for n in 0..20 {
        w.queued("cad", &format!("gone{n}"));
    }
    let alive = w.queued("cad", "bob");
    w.pass(20);
    w.poll(alive);
    w.pass(20);
    w.checkin(held.id);
    assert!(matches!(
        w.poll(alive).ticket.state,
        TicketState::Granted { .. }
    ));
}

#[test]
fn a_granted_seat_that_is_not_fetched_passes_on() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let first = w.queued("cad", "bob");
    w.pass(1);
    let second = w.queued("cad", "cyd");
    w.checkin(held.id);
    w.pass(CLAIM_SECONDS);
    assert!(matches!(
        w.poll(first).ticket.state,
        TicketState::Expired { .. }
    ));
    assert!(matches!(
        w.poll(second).ticket.state,
        TicketState::Granted { .. }
    ));
    // Fetched, it stays.
    w.pass(CLAIM_SECONDS + 1);
    assert!(w.poll(second).lease.is_some());
}

#[test]
fn a_ticket_that_is_taken_back_leaves_the_queue_and_gives_back_what_it_was_granted() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let first = w.queued("cad", "bob");
    let second = w.queued("cad", "cyd");
    w.tell(Command::Cancel {
        ticket: first,
        access: Access::Anyone,
    });
    assert_eq!(w.poll(second).position, 1);
    w.checkin(held.id);
    w.poll(second);
    w.tell(Command::Cancel {
        ticket: second,
        access: Access::Anyone,
    });
    w.granted("cad", "dan");
}

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

#[test]
fn leases_and_tickets_of_others_do_not_exist() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id;
    let ticket = w.queued("cad", "bob");
    let eve = of("eve");
    assert_eq!(
        w.tell(Command::Renew {
            lease,
            access: eve.clone()
        }),
        Reply::UnknownLease
    );
    assert_eq!(
        w.tell(Command::Checkin {
            lease,
            access: eve.clone()
        }),
        Reply::UnknownLease
    );
    let poll = Command::Poll {
        ticket,
        access: eve.clone(),
        keep_seconds: 30,
    };
    assert_eq!(w.tell(poll), Reply::UnknownTicket);
    assert_eq!(
        w.tell(Command::Cancel {
            ticket,
            access: eve
        }),
        Reply::UnknownTicket
    );
    let pc2 = Access::Computer("pc2".into());
    assert_eq!(
        w.tell(Command::Checkin { lease, access: pc2 }),
        Reply::UnknownLease
    );
    assert_eq!(
        w.tell(Command::Checkin {
            lease,
            access: of("ada")
        }),
        Reply::Done
    );
}

#[test]
fn the_id_of_another_life_of_the_file_is_unknown() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id;
    let other = LeaseId {
        incarnation: Incarnation(8),
        ..lease
    };
    assert_eq!(w.renew(other), Reply::UnknownLease);
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
fn the_same_key_gets_the_first_answer_again_and_another_body_a_conflict() {
    let mut w = World::new();
    w.product("cad", 2);
    let once = |body| Command::Once {
        key: 1,
        body,
        command: Box::new(Command::Checkout(asks("cad", "ada", 1, false, 0))),
    };
    let first = w.tell(once(5));
    assert_eq!(w.tell(once(5)), Reply::Replayed(Box::new(first)));
    assert_eq!(w.tell(once(6)), Reply::KeyConflict);
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 1);
    w.pass(KEPT_SECONDS);
    assert!(
        matches!(w.tell(once(5)), Reply::Granted { .. }),
        "a key is kept for a day, not for ever"
    );
}

#[test]
fn what_is_kept_of_an_answer_holds_no_names() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id;
    let renew = Command::Renew {
        lease,
        access: Access::Anyone,
    };
    let once = Command::Once {
        key: 1,
        body: 1,
        command: Box::new(renew),
    };
    w.tell(once.clone());
    let kept = w.events.iter().find_map(|(_, _, event)| match event {
        Event::Remembered { reply, .. } => Some(format!("{reply:?}")),
        _ => None,
    });
    assert!(!kept.unwrap().contains("ada"));
    let Reply::Replayed(reply) = w.tell(once) else {
        panic!("not replayed")
    };
    let Reply::Renewed { user, .. } = *reply else {
        panic!("{reply:?}")
    };
    assert_eq!(&*user, "ada");
}

#[test]
fn a_reboot_gives_one_grace_and_no_more() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id.number;
    // The computer was off for a day.
    w.pass_ms(86_400_000);
    w.tell(Command::Rebooted);
    let grace = w.now.steady.plus_seconds(GRACE_SECONDS);
    assert_eq!(w.ledger.lease(lease).unwrap().deadline, grace);
    // It crashes again and again: the dead seat ends all the same.
    for _ in 0..5 {
        w.pass_ms(7_000);
        w.tell(Command::Rebooted);
    }
    w.pass(1);
    assert!(w.ledger.lease(lease).is_none());
}

#[test]
fn after_a_restore_nothing_is_granted_until_leases_of_before_have_ended() {
    let mut w = World::new();
    w.product("cad", 1);
    let hold_until = Some(w.now.steady.plus_seconds(60));
    w.tell(Command::Reincarnate {
        incarnation: Incarnation(9),
        hold_until,
    });
    assert_eq!(w.checkout("cad", "ada"), Reply::Held { for_seconds: 60 });
    w.pass(60);
    assert_eq!(w.granted("cad", "ada").id.incarnation, Incarnation(9));
}

#[test]
fn an_estimate_of_the_wait_is_made_of_how_long_seats_were_held() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    assert_eq!(w.poll(ticket).expected_wait_seconds, None);
    w.tell(Command::Cancel {
        ticket,
        access: Access::Anyone,
    });
    w.pass(120);
    w.checkin(held.id);
    w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    assert_eq!(w.poll(ticket).expected_wait_seconds, Some(120));
}

#[test]
fn a_wait_is_not_known_where_who_holds_the_seats_holds_them_longer_than_others_did() {
    let mut w = World::new();
    w.product("cad", 1);
    let short = w.granted("cad", "ada");
    w.checkin(short.id);
    w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    assert_eq!(w.poll(ticket).expected_wait_seconds, Some(0));
    w.pass(30);
    assert_eq!(w.poll(ticket).expected_wait_seconds, None);
}

#[test]
fn a_key_that_was_forgotten_and_used_again_is_recovered_with_its_new_answer() {
    let mut w = World::new();
    w.product("cad", 2);
    let once = Command::Once {
        key: 1,
        body: 5,
        command: Box::new(Command::Checkout(asks("cad", "ada", 1, false, 0))),
    };
    w.tell(once.clone());
    w.pass(KEPT_SECONDS);
    let second = w.tell(once.clone());
    w.pass(1);
    let mut recovered = w.recovered();
    assert_eq!(
        recovered.apply(w.now, once),
        Reply::Replayed(Box::new(second))
    );
}

#[test]
fn a_reboot_ends_at_once_what_had_its_grace_before() {
    let mut w = World::new();
    w.product("cad", 1);
    let lease = w.granted("cad", "ada").id.number;
    w.pass_ms(86_400_000);
    w.tell(Command::Rebooted);
    w.pass_ms(GRACE_SECONDS * 1_000);
    w.tell(Command::Rebooted);
    assert!(w.ledger.lease(lease).is_none());
}

#[test]
fn an_entitlement_that_began_while_the_computer_was_off_serves_who_waits() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    let later = EntitlementTerms {
        from: Some(Bound::At(Wall(w.now.wall.0 + 10_000))),
        ..terms("cad", 1)
    };
    w.tell(Command::AddEntitlement(later));
    w.pass_ms(10_000);
    w.tell(Command::Rebooted);
    assert!(matches!(
        w.poll(ticket).ticket.state,
        TicketState::Granted { .. }
    ));
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

/// What is kept of how each of the last answers was asked for.
fn asks_of(w: &World) -> Vec<Ask> {
    let ask = |(_, _, event): &(Now, EventNumber, Event)| match event {
        Event::Granted { ask, .. } => ask.clone(),
        Event::Queued { ask, .. } | Event::Denied { ask, .. } => Some(ask.clone()),
        _ => None,
    };
    w.events.iter().filter_map(ask).collect()
}

#[test]
fn who_asks_again_within_a_quarter_of_an_hour_after_a_refusal_repeats_that_ask() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    w.checkout("cad", "bob");
    w.pass(30);
    // Within a minute it is the same row, counted.
    w.checkout("cad", "bob");
    w.renew(held.id);
    w.pass(100);
    w.tell(Command::Checkout(asks("cad", "bob", 1, true, 0)));
    w.checkin(held.id);
    let kept = asks_of(&w);
    let refused = w
        .events
        .iter()
        .find(|(_, _, event)| matches!(event, Event::Denied { .. }))
        .map(|(_, number, _)| *number);
    let expected = [(false, None), (false, None), (true, refused)];
    let found: Vec<_> = kept.iter().map(|ask| (ask.waits, ask.repeats)).collect();
    assert_eq!(found, expected);

    // On another computer, and later than that, it is an ask of its own.
    let elsewhere = Checkout {
        computer: computer("pc2"),
        ..asks("cad", "bob", 9, false, 0)
    };
    w.tell(Command::Checkout(elsewhere));
    w.pass(1_000);
    w.tell(Command::Checkout(asks("cad", "bob", 9, false, 0)));
    let found: Vec<_> = asks_of(&w).into_iter().skip(3).map(|a| a.repeats).collect();
    assert_eq!(found, [None, None]);
}

#[test]
fn what_a_command_changes_is_kept_with_who_sent_it_and_what_it_only_decides_is_not() {
    let mut w = World::new();
    w.product("cad", 1);
    let by = By {
        kind: ActorKind::Token,
        id: "K1".into(),
        request: 7,
    };
    let as_token = |command| Command::As {
        by: by.clone(),
        command: Box::new(command),
    };
    let from = w.events.len();
    w.tell(as_token(Command::Checkout(asks("cad", "ada", 1, false, 0))));
    w.tell(as_token(Command::AddEntitlement(terms("nothing", 1))));
    let changed =
        |(_, _, event): &(Now, EventNumber, Event)| matches!(event, Event::Changed { .. });
    assert!(!w.events[from..].iter().any(changed), "nothing was changed");
    let from = w.events.len();
    w.tell(as_token(Command::AddEntitlement(terms("cad", 1))));
    let events = &w.events[from..];
    let Some((
        _,
        _,
        Event::Changed {
            by: who,
            from: first,
        },
    )) = events.last()
    else {
        panic!("it does not say who: {events:?}");
    };
    assert_eq!(who, &by);
    assert_eq!(*first, events[0].1);
    assert!(matches!(events[0].2, Event::EntitlementPut(_)));
}
