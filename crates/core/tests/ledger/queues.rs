//! Who waits for more seats than there are: in nobody's way, and refused after a while.

use usher_core::ledger::*;

use crate::world::*;

/// Polled so often that no place is lost.
fn wait(w: &mut World, tickets: &[TicketId], seconds: u64) {
    for _ in 0..seconds {
        w.pass(1);
        for ticket in tickets {
            w.poll(*ticket);
        }
    }
}

fn is_passed_over(view: &TicketView) -> bool {
    matches!(
        view.ticket.state,
        TicketState::Waiting { aside: Some(_), .. }
    )
}

#[test]
fn a_request_that_cannot_be_served_is_passed_over_at_once_and_refused_after_a_minute() {
    let mut w = World::new();
    let owned = w.product("cad", 4).unwrap();
    let held = w.granted("cad", "ada");
    let wide = w.queued_with("cad", "bob", 4, 0);
    let behind = w.queued("cad", "cyd");
    // The entitlement shrinks: bob cannot be served any more, and cyd's seat is free.
    let smaller = Command::ChangeEntitlement {
        entitlement: owned,
        terms: terms("cad", 2),
    };
    w.tell(smaller);
    assert!(is_passed_over(&w.poll(wide)));
    assert_eq!(w.poll(wide).expected_wait_seconds, None);
    assert!(matches!(
        w.poll(behind).ticket.state,
        TicketState::Granted { .. }
    ));
    w.checkin(held.id);
    w.granted("cad", "dan");
    wait(&mut w, &[wide], 59);
    assert!(is_passed_over(&w.poll(wide)));
    w.pass(1);
    let TicketState::Denied {
        reason, decision, ..
    } = w.poll(wide).ticket.state
    else {
        panic!("it still waits");
    };
    assert_eq!(reason, Reason::Impossible);
    let recorded = w.events.iter().any(|(_, number, event)| {
        *number == decision.number
            && matches!(event, Event::Denied { denial, .. } if denial.id == decision)
    });
    assert!(recorded, "the decision of the refusal can be explained");
    assert!(w.recovers());
}

#[test]
fn an_entitlement_that_is_taken_away_and_put_back_within_a_minute_leaves_the_queue_as_it_was() {
    let mut w = World::new();
    let owned = w.product("cad", 1).unwrap();
    w.granted("cad", "ada");
    let first = w.queued("cad", "bob");
    let second = w.queued("cad", "cyd");
    w.tell(Command::RemoveEntitlement { entitlement: owned });
    assert!(is_passed_over(&w.poll(first)));
    wait(&mut w, &[first, second], 50);
    w.own("cad", 2);
    // Ada's lease of the seats that were taken away still counts: one seat is free.
    assert!(matches!(
        w.poll(first).ticket.state,
        TicketState::Granted { .. }
    ));
    let view = w.poll(second);
    assert!(!is_passed_over(&view));
    assert_eq!(view.position, 1);
    wait(&mut w, &[second], 50);
    assert_eq!(w.poll(second).position, 1);
    assert!(w.recovers());
}

#[test]
fn a_request_for_seats_that_become_valid_later_is_passed_over_and_not_refused() {
    let mut w = World::new();
    let owned = w.product("cad", 1).unwrap();
    w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    let later = EntitlementTerms {
        from: Some(Bound::At(Wall(w.now.wall.0 + 600_000))),
        ..terms("cad", 1)
    };
    w.tell(Command::AddEntitlement(later));
    w.tell(Command::RemoveEntitlement { entitlement: owned });
    wait(&mut w, &[ticket], 200);
    assert!(is_passed_over(&w.poll(ticket)));
    wait(&mut w, &[ticket], 410);
    assert!(matches!(
        w.poll(ticket).ticket.state,
        TicketState::Granted { .. }
    ));
}

#[test]
fn an_entitlement_that_ends_on_its_date_stops_nobody_behind_who_asked_for_more_than_is_left() {
    let mut w = World::new();
    w.product("cad", 2);
    let for_a_while = EntitlementTerms {
        to: Some(Bound::At(Wall(w.now.wall.0 + 20_000))),
        ..terms("cad", 3)
    };
    w.tell(Command::AddEntitlement(for_a_while));
    let long = Checkout {
        ttl_seconds: Some(600),
        ..asks("cad", "ada", 1, false, 0)
    };
    w.tell(Command::Checkout(long));
    let wide = w.queued_with("cad", "bob", 5, 0);
    let behind = w.queued_with("cad", "cyd", 1, 0);
    w.pass_ms(20_000);
    // Nothing but time has passed: who asks now comes behind who waited.
    assert!(matches!(w.checkout("cad", "dan"), Reply::Denied { .. }));
    assert!(is_passed_over(&w.poll(wide)));
    assert!(matches!(
        w.poll(behind).ticket.state,
        TicketState::Granted { .. }
    ));
}

#[test]
fn the_number_of_an_entitlement_is_its_events_however_many_there_were() {
    let snapshot = Snapshot {
        incarnation: Incarnation(7),
        next_number: u64::from(u32::MAX) + 5,
        ..Snapshot::default()
    };
    let mut w = World::new();
    let no_leases: [Result<Lease, ()>; 0] = [];
    w.ledger = Ledger::restore(snapshot, no_leases).unwrap();
    w.product("cad", 0);
    w.product("cae", 0);
    let first = w.own("cad", 2);
    let second = w.own("cae", 3);
    assert_ne!(first, second);
    w.granted("cad", "ada");
    assert_eq!(
        w.ledger.entitlement(first).map(|view| view.in_use),
        Some(1),
        "the newer one has not taken its place"
    );
}
