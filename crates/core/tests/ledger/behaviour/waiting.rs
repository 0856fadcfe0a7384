//! Who waits for a seat, in which order, and for how long.

use usher_core::ledger::*;

use super::reason;
use crate::world::*;

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
fn a_seat_that_nobody_fetched_says_nothing_of_how_long_seats_are_held() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let gone = w.queued("cad", "bob");
    w.pass(20);
    let left = w.queued("cad", "cyd");
    let waits = w.queued("cad", "dan");
    w.pass(5);
    w.checkin(held.id);
    let expected = |w: &mut World| w.poll(waits).expected_wait_seconds;
    let before = expected(&mut w);
    assert!(before.is_some());
    // The first does not fetch it, and the second leaves before it has.
    w.pass(CLAIM_SECONDS);
    assert!(matches!(
        w.poll(gone).ticket.state,
        TicketState::Expired { .. }
    ));
    w.tell(Command::Cancel {
        ticket: left,
        access: Access::Anyone,
    });
    let lease = w.poll(waits).lease.unwrap();
    let next = w.queued("cad", "eve");
    assert_eq!(w.poll(next).expected_wait_seconds, Some(25));
    w.checkin(lease.id);
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
