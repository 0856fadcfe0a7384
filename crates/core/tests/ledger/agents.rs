//! What a ledger does with agents' reports.

use usher_core::ledger::*;

use crate::world::*;

fn report(incarnation: u64, items: Vec<(u64, ReportItem)>) -> Command {
    Command::Report(Box::new(Report {
        computer: computer("pc9"),
        name: "lab-9".into(),
        document: "{}".into(),
        incarnation,
        items,
    }))
}

fn wants(session: u64, user: &str) -> ReportItem {
    wants_on("cad", session, user)
}

fn wants_on(product: &str, session: u64, user: &str) -> ReportItem {
    let subject = subject(user);
    ReportItem::Checkout {
        session,
        product: product.into(),
        subject,
        seats: 1,
        ttl_seconds: 300,
        shown: None,
        gate: false,
        claim: None,
        program: None,
    }
}

fn items(reply: Reply) -> Vec<ItemReply> {
    match reply {
        Reply::Report { items, .. } => items,
        other => panic!("no report: {other:?}"),
    }
}

#[test]
fn a_session_has_a_lease_where_a_seat_is_free_and_is_unseated_where_not() {
    let mut w = World::new();
    w.product("cad", 1);
    let replies = items(w.tell(report(
        1,
        vec![(1, wants(10, "ada")), (2, wants(11, "bob"))],
    )));
    assert!(matches!(
        replies[0],
        ItemReply::Granted {
            ttl_seconds: 300,
            ..
        }
    ));
    assert_eq!(replies[1], ItemReply::Unseated(Reason::NoSeat));
    let (_, pool) = w.ledger.product("cad").unwrap();
    assert_eq!((pool.in_use, pool.unseated), (1, 1));
    // Nobody was refused by tracking.
    assert!(
        !w.events
            .iter()
            .any(|(_, _, event)| matches!(event, Event::Denied { .. }))
    );
}

#[test]
fn an_item_is_applied_once_however_often_it_comes_and_its_answer_is_the_state_as_it_is() {
    let mut w = World::new();
    w.product("cad", 5);
    let batch = vec![(1, wants(10, "ada")), (2, wants(11, "bob"))];
    let first = items(w.tell(report(1, batch.clone())));
    assert_eq!(items(w.tell(report(1, batch))), first);
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 2);
    // A later incarnation counts from the beginning; an older one is stale.
    w.tell(report(2, vec![(1, wants(12, "cyd"))]));
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 3);
    assert_eq!(
        w.tell(report(1, vec![(3, wants(13, "dan"))])),
        Reply::StaleSender
    );
}

#[test]
fn an_unseated_session_that_asks_again_is_seated_when_a_seat_is_free() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(report(
        1,
        vec![(1, wants(10, "ada")), (2, wants(11, "bob"))],
    ));
    w.tell(report(1, vec![(3, ReportItem::Checkin { session: 10 })]));
    let replies = items(w.tell(report(1, vec![(4, wants(11, "bob"))])));
    assert!(matches!(replies[0], ItemReply::Granted { .. }));
    let (_, pool) = w.ledger.product("cad").unwrap();
    assert_eq!((pool.in_use, pool.unseated), (1, 0));
}

#[test]
fn what_is_not_renewed_ends_leases_and_unseated_entries_alike() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(report(
        1,
        vec![(1, wants(10, "ada")), (2, wants(11, "bob"))],
    ));
    w.pass(200);
    let renew = |session| ReportItem::Renew { session };
    let replies = items(w.tell(report(
        1,
        vec![(3, renew(10)), (4, renew(11)), (5, renew(12))],
    )));
    assert_eq!(replies[0], ItemReply::Renewed { ttl_seconds: 300 });
    assert_eq!(replies[1], ItemReply::Renewed { ttl_seconds: 300 });
    assert_eq!(replies[2], ItemReply::UnknownSession);
    w.pass(299);
    assert_eq!(w.ledger.product("cad").unwrap().1.unseated, 1);
    w.pass(1);
    let (_, pool) = w.ledger.product("cad").unwrap();
    assert_eq!((pool.in_use, pool.unseated), (0, 0));
}

#[test]
fn sessions_of_one_subject_share_a_lease_where_the_product_says_so() {
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
    let replies = items(w.tell(report(
        1,
        vec![(1, wants(10, "ada")), (2, wants(11, "ada"))],
    )));
    assert_eq!(replies[0], replies[1]);
    w.tell(report(1, vec![(3, ReportItem::Checkin { session: 10 })]));
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 1);
    w.tell(report(1, vec![(4, ReportItem::Checkin { session: 11 })]));
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 0);
}

#[test]
fn a_session_of_a_product_that_was_removed_since_is_recorded_all_the_same() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(Command::RemoveProduct {
        product: "cad".into(),
    });
    let finished = ReportItem::Finished {
        session: 10,
        product: "cad".into(),
        program: "cad.bin".into(),
        version: None,
        subject: subject("ada"),
        real_subject: None,
        started_at: Wall(1),
        ended_at: Wall(2),
        duration_ms: 1,
        unseated_ms: 1,
        lease: None,
        first_reported: None,
    };
    let replies = items(w.tell(report(
        1,
        vec![(1, finished), (2, wants_on("no", 11, "ada"))],
    )));
    assert_eq!(replies, [ItemReply::Done, ItemReply::UnknownProduct]);
    assert!(
        w.events
            .iter()
            .any(|(_, _, event)| matches!(event, Event::SessionFinished(_)))
    );
}

#[test]
fn who_waits_in_the_queue_comes_before_tracking() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let ticket = w.queued("cad", "bob");
    w.tell(report(1, vec![(1, wants(10, "cyd"))]));
    w.checkin(held.id);
    assert!(matches!(
        w.poll(ticket).ticket.state,
        TicketState::Granted { .. }
    ));
    let replies = items(w.tell(report(1, vec![(2, wants(10, "cyd"))])));
    assert_eq!(replies, [ItemReply::Unseated(Reason::NoSeat)]);
}

#[test]
fn an_agent_that_was_rolled_back_gets_for_an_old_number_only_what_is_its_own() {
    let mut w = World::new();
    w.product("cad", 2);
    w.product("solver", 2);
    let first = items(w.tell(report(1, vec![(1, wants_on("cad", 10, "ada"))])));
    let ItemReply::Granted { lease: cad, .. } = first[0] else {
        panic!("no seat: {first:?}");
    };
    // A snapshot of the computer from before is restored: the same numbers, another program.
    let again = items(w.tell(report(1, vec![(1, wants_on("solver", 10, "ada"))])));
    assert_eq!(again, [ItemReply::UnknownSession]);
    // It notices that the server knows more than itself, and asks in a new incarnation.
    let asked = items(w.tell(report(2, vec![(1, wants_on("solver", 10, "ada"))])));
    let ItemReply::Granted { lease, .. } = asked[0] else {
        panic!("no seat: {asked:?}");
    };
    assert_ne!(lease, cad, "the seat of another product");
    assert!(w.ledger.lease(cad.number).is_some(), "that ends by itself");
    // Neither does it keep that one alive by a number that means another program now.
    let renewed = items(w.tell(report(3, vec![(1, ReportItem::Renew { session: 10 })])));
    assert_eq!(renewed, [ItemReply::UnknownSession]);
    assert!(w.recovers());
}

#[test]
fn a_session_that_goes_on_in_a_new_incarnation_of_its_agent_keeps_its_seat() {
    let mut w = World::new();
    w.product("cad", 1);
    let first = items(w.tell(report(1, vec![(1, wants(10, "ada"))])));
    let ItemReply::Granted { lease, .. } = first[0] else {
        panic!("no seat: {first:?}");
    };
    let again = items(w.tell(report(2, vec![(1, wants(10, "ada"))])));
    assert!(
        matches!(again[0], ItemReply::Granted { lease: same, .. } if same == lease),
        "{again:?}"
    );
    let renewed = items(w.tell(report(2, vec![(2, ReportItem::Renew { session: 10 })])));
    assert!(matches!(renewed[0], ItemReply::Renewed { .. }));
    // What it had is given back also without having been asked for again.
    let gone = items(w.tell(report(3, vec![(1, ReportItem::Checkin { session: 10 })])));
    assert_eq!(gone, [ItemReply::Done]);
    assert_eq!(w.ledger.lease_count(), 0);
    assert!(w.recovers());
}
