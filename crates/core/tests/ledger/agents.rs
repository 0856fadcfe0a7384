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
            .any(|(_, _, event)| matches!(event, Event::Denied(_)))
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
fn a_person_is_renamed_by_the_computer_that_vouches_for_it_and_by_nobody_else() {
    let mut w = World::new();
    w.product("cad", 9);
    let person = |authority: &str, name: &str| SubjectRef {
        authority: authority.into(),
        key: "1000".into(),
        name: name.into(),
        candidate: 77,
    };
    let mut sequence = 0;
    // Each way in which a computer names a person: a seat for a session, a session that has ended,
    // and a checkout by name.
    let mut names = |w: &mut World, at: &str, who: SubjectRef| {
        sequence += 10;
        let finished = ReportItem::Finished {
            session: sequence,
            product: "cad".into(),
            program: "cad".into(),
            version: None,
            subject: who.clone(),
            real_subject: Some(who.clone()),
            started_at: w.now.wall,
            ended_at: w.now.wall,
            duration_ms: 0,
            lease: None,
            first_reported: None,
        };
        let seat = ReportItem::Checkout {
            session: sequence,
            product: "cad".into(),
            subject: who.clone(),
            seats: 1,
            ttl_seconds: 300,
            shown: None,
            gate: false,
            claim: None,
        };
        w.tell(Command::Report(Box::new(Report {
            computer: computer(at),
            name: at.into(),
            document: "{}".into(),
            incarnation: 1,
            items: vec![(sequence, seat), (sequence + 1, finished)],
        })));
        w.tell(Command::Checkout(Checkout {
            subject: who,
            computer: computer(at),
            ..asks("cad", "", 1, false, 0)
        }));
    };
    let name = |w: &World, authority: &str| {
        let found = w.ledger.subjects().find(authority, "1000").unwrap();
        found.name.to_string()
    };
    names(&mut w, "pc1", person("computer:pc1", "ann"));
    names(&mut w, "pc1", person("corp.example", "ann"));
    for authority in ["computer:pc1", "corp.example"] {
        names(&mut w, "pc2", person(authority, "mallory"));
        assert_eq!(name(&w, authority), "ann");
    }
    names(&mut w, "pc1", person("computer:pc1", "anna"));
    assert_eq!(name(&w, "computer:pc1"), "anna");
    assert!(w.recovers());
}
