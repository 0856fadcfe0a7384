//! What a ledger does with programs that are held until there is a seat.

use usher_core::ledger::*;

use crate::world::*;

fn report(sequence: u64, item: ReportItem) -> Command {
    Command::Report(Box::new(Report {
        computer: computer("pc1"),
        name: "lab-1".into(),
        document: "{}".into(),
        incarnation: 1,
        items: vec![(sequence, item)],
    }))
}

fn starts(session: u64, user: &str, gate: bool, claim: Option<LeaseId>) -> ReportItem {
    ReportItem::Checkout {
        session,
        product: "cad".into(),
        subject: subject(user),
        seats: 1,
        ttl_seconds: 60,
        shown: None,
        gate,
        claim,
        program: None,
    }
}

fn held(session: u64, user: &str) -> ReportItem {
    starts(session, user, true, None)
}

fn only(reply: Reply) -> ItemReply {
    match reply {
        Reply::Report { mut items, .. } => items.remove(0),
        other => panic!("no report: {other:?}"),
    }
}

fn refused(reply: Reply) -> DeniedItem {
    match only(reply) {
        ItemReply::Denied(denied) => *denied,
        other => panic!("not refused: {other:?}"),
    }
}

fn leased(reply: Reply) -> LeaseId {
    match only(reply) {
        ItemReply::Granted { lease, .. } => lease,
        other => panic!("not granted: {other:?}"),
    }
}

/// Seats in use, and programs without one.
fn counts(w: &World) -> (u64, u64) {
    let (_, pool) = w.ledger.product("cad").unwrap();
    (pool.in_use, pool.unseated)
}

/// A ticket of `user` that has just been granted, and its lease.
fn granted_ticket(w: &mut World, user: &str) -> (TicketId, LeaseId) {
    let before = w.granted("cad", "holder");
    let ticket = w.queued("cad", user);
    w.checkin(before.id);
    let lease = w.poll(ticket).lease.unwrap();
    (ticket, lease.id)
}

#[test]
fn a_held_start_is_seated_or_refused_and_a_refusal_is_kept_like_that_of_any_checkout() {
    let mut w = World::new();
    w.product("cad", 1);
    leased(w.tell(report(1, held(10, "ada"))));
    let first = refused(w.tell(report(2, held(11, "bob"))));
    assert_eq!(first.reason, Reason::NoSeat);
    assert_eq!((first.scene.seats, first.scene.in_use), (1, 1));
    assert_eq!(counts(&w), (1, 0), "it does not run, so it is not unseated");
    w.pass(20);
    let second = refused(w.tell(report(3, held(12, "bob"))));
    assert_eq!(second.decision, first.decision, "one row, counted");
    let kept: Vec<&Event> = w.events.iter().map(|(_, _, event)| event).collect();
    let denials = kept.iter().filter(|e| matches!(e, Event::Denied { .. }));
    assert_eq!(denials.count(), 1);
    assert!(matches!(
        kept[kept.len() - 2],
        Event::DeniedAgain { count: 2, .. }
    ));
    let asked = w.checkout("cad", "bob");
    assert!(matches!(asked, Reply::Denied { decision, .. } if decision == first.decision));
}

#[test]
fn a_refusal_that_is_sent_again_grants_nothing_until_it_is_asked_anew() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(report(1, held(10, "ada")));
    let first = refused(w.tell(report(2, held(11, "bob"))));
    w.tell(report(3, ReportItem::Checkin { session: 10 }));
    let again = refused(w.tell(report(2, held(11, "bob"))));
    assert_eq!((again.decision, again.scene.in_use), (first.decision, 0));
    w.pass(61);
    let late = only(w.tell(report(2, held(11, "bob"))));
    assert_eq!(late, ItemReply::UnknownSession, "the refusal is forgotten");
    assert_eq!(counts(&w), (0, 0));
    leased(w.tell(report(4, held(11, "bob"))));
    let lease = leased(w.tell(report(4, held(11, "bob"))));
    assert_eq!(w.ledger.leases().map(|l| l.id).collect::<Vec<_>>(), [lease]);
}

#[test]
fn a_program_that_runs_unseated_stays_so_when_another_start_of_it_is_refused() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(report(1, held(10, "ada")));
    w.tell(report(2, starts(11, "bob", false, None)));
    refused(w.tell(report(3, held(11, "bob"))));
    assert_eq!(counts(&w), (1, 1));
    w.tell(report(4, ReportItem::Checkin { session: 10 }));
    leased(w.tell(report(5, held(11, "bob"))));
    assert_eq!(counts(&w), (1, 0));
}

#[test]
fn in_a_pause_nothing_is_decided_and_no_refusal_is_kept() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(Command::Pause);
    assert_eq!(
        only(w.tell(report(1, held(10, "ada")))),
        ItemReply::Undecided
    );
    assert_eq!(counts(&w), (0, 0));
    let denied = |(_, _, event): &(_, _, Event)| matches!(event, Event::Denied { .. });
    assert!(!w.events.iter().any(denied));
    w.tell(Command::Continue);
    leased(w.tell(report(2, held(10, "ada"))));
    let off = ProductSpec {
        enabled: false,
        ..spec("cad")
    };
    w.tell(Command::PutProduct {
        spec: off,
        new: false,
    });
    w.tell(Command::Pause);
    let denied = refused(w.tell(report(3, held(11, "bob"))));
    assert_eq!(
        denied.reason,
        Reason::ProductDisabled,
        "so it is, paused or not"
    );
}

#[test]
fn a_granted_ticket_is_the_seat_of_the_next_start() {
    let mut w = World::new();
    w.product("cad", 1);
    let (ticket, lease) = granted_ticket(&mut w, "ada");
    refused(w.tell(report(1, held(10, "bob"))));
    assert_eq!(
        leased(w.tell(report(2, starts(11, "ada", true, Some(lease))))),
        lease
    );
    assert_eq!(counts(&w), (1, 0), "the same seat, not two");
    assert_eq!(w.ledger.lease(lease.number).unwrap().ttl_seconds, 60);
    // Its ticket has done its work: whoever takes it back ends no program's seat.
    w.tell(Command::Cancel {
        ticket,
        access: Access::Anyone,
    });
    w.pass(50);
    w.tell(report(3, ReportItem::Renew { session: 11 }));
    w.pass(50);
    assert_eq!(counts(&w), (1, 0));
    assert!(w.recovers());
    w.tell(report(4, ReportItem::Checkin { session: 11 }));
    assert_eq!(counts(&w), (0, 0));
}

#[test]
fn a_seat_that_no_start_claims_passes_on_when_its_time_is_over() {
    let mut w = World::new();
    w.product("cad", 1);
    let (_, lease) = granted_ticket(&mut w, "ada");
    w.pass(300);
    assert_eq!(counts(&w), (0, 0));
    let other = leased(w.tell(report(1, held(10, "bob"))));
    let late = refused(w.tell(report(2, starts(11, "ada", true, Some(lease)))));
    assert_eq!((late.reason, other != lease), (Reason::NoSeat, true));
}

#[test]
fn a_seat_that_was_not_fetched_yet_is_claimed_for_good() {
    let mut w = World::new();
    w.product("cad", 1);
    let before = w.granted("cad", "holder");
    let ticket = w.queued("cad", "ada");
    w.checkin(before.id);
    let lease = match w.ledger.ticket(ticket.number).unwrap().state {
        TicketState::Granted { lease, .. } => lease,
        other => panic!("not granted: {other:?}"),
    };
    leased(w.tell(report(1, starts(10, "ada", true, Some(lease)))));
    w.pass(CLAIM_SECONDS + 1);
    assert_eq!(counts(&w), (1, 0));
}

#[test]
fn only_a_ticket_of_the_same_person_and_product_is_claimed_and_once() {
    let mut w = World::new();
    w.product("cad", 1);
    let (_, lease) = granted_ticket(&mut w, "ada");
    refused(w.tell(report(1, starts(10, "bob", true, Some(lease)))));
    leased(w.tell(report(2, starts(11, "ada", true, Some(lease)))));
    refused(w.tell(report(3, starts(12, "ada", true, Some(lease)))));
    w.tell(report(4, ReportItem::Checkin { session: 11 }));
    // A lease that nobody waited for is another program's.
    let run = w.granted("cad", "ada");
    refused(w.tell(report(5, starts(13, "ada", true, Some(run.id)))));
    assert_eq!(counts(&w), (1, 0));
}

#[test]
fn a_seat_that_was_free_at_once_and_is_kept_is_claimed_by_its_person_and_nobody_else() {
    let mut w = World::new();
    w.product("cad", 1);
    let kept = Checkout {
        program: Some(KEPT.into()),
        ..asks("cad", "ada", 1, true, 0)
    };
    let lease = match w.tell(Command::Checkout(kept)) {
        Reply::Granted { lease, .. } => lease.id,
        other => panic!("not granted: {other:?}"),
    };
    refused(w.tell(report(1, starts(10, "bob", true, Some(lease)))));
    let claimed = leased(w.tell(report(2, starts(11, "ada", true, Some(lease)))));
    assert_eq!((claimed, counts(&w)), (lease, (1, 0)), "the same seat");
    refused(w.tell(report(3, starts(12, "ada", true, Some(lease)))));
    assert!(w.recovers());
    w.tell(report(4, ReportItem::Checkin { session: 11 }));
    assert_eq!(counts(&w), (0, 0));
}

#[test]
fn who_has_a_seat_already_gives_the_claimed_one_to_who_waits() {
    let mut w = World::new();
    w.product("cad", 2);
    let own = leased(w.tell(report(1, held(10, "ada"))));
    let (_, lease) = granted_ticket(&mut w, "ada");
    let bob = w.queued("cad", "bob");
    assert_eq!(
        leased(w.tell(report(2, starts(10, "ada", true, Some(lease))))),
        own
    );
    assert!(w.ledger.lease(lease.number).is_none());
    assert!(w.poll(bob).lease.is_some());
    assert_eq!(counts(&w), (2, 0));
}

#[test]
fn a_claimed_lease_is_shared_where_the_product_says_so() {
    let mut w = World::new();
    let shared = ProductSpec {
        shared_by_subject: true,
        ..spec("cad")
    };
    w.tell(Command::PutProduct {
        spec: shared,
        new: true,
    });
    w.own("cad", 1);
    let (_, lease) = granted_ticket(&mut w, "ada");
    leased(w.tell(report(1, starts(10, "ada", true, Some(lease)))));
    assert_eq!(leased(w.tell(report(2, held(11, "ada")))), lease);
    w.tell(report(3, ReportItem::Checkin { session: 10 }));
    assert_eq!(counts(&w), (1, 0));
    w.tell(report(4, ReportItem::Checkin { session: 11 }));
    assert_eq!(counts(&w), (0, 0));
}
