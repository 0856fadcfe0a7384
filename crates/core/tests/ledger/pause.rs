//! A pause: nobody gets a seat, and nobody loses one or a place.

use usher_core::ledger::*;

use crate::world::*;

fn waits(state: TicketState) -> bool {
    matches!(state, TicketState::Waiting { .. })
}

#[test]
fn who_waits_keeps_the_place_in_a_pause_and_gets_the_seat_when_it_is_over() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    let (first, second) = (w.queued("cad", "bob"), w.queued("cad", "cyd"));
    w.tell(Command::Pause);
    assert!(matches!(w.renew(held.id), Reply::Renewed { .. }));
    w.checkin(held.id);
    w.pass(20);
    let waiting = w.poll(first);
    assert!(waits(waiting.ticket.state), "{waiting:?}");
    assert_eq!(waiting.position, 1);
    w.poll(second);
    w.tell(Command::Continue);
    assert!(w.poll(first).lease.is_some());
    assert!(waits(w.poll(second).ticket.state));
}

#[test]
fn who_asks_in_a_pause_is_told_so_and_the_same_key_succeeds_later() {
    let mut w = World::new();
    w.product("cad", 2);
    let ask = |key, user| Command::Once {
        key,
        body: 1,
        command: Box::new(Command::Checkout(asks("cad", user, 1, true, 0))),
    };
    let before = w.tell(ask(1, "ada"));
    w.tell(Command::Pause);
    assert_eq!(w.tell(ask(2, "bob")), Reply::Paused);
    assert_eq!(w.ledger.product("cad").unwrap().1.queued(), 0);
    // What was granted before is granted: a repeat learns of it.
    assert_eq!(w.tell(ask(1, "ada")), Reply::Replayed(Box::new(before)));
    w.tell(Command::Continue);
    assert!(matches!(w.tell(ask(2, "bob")), Reply::Granted { .. }));
}

#[test]
fn what_an_agent_reports_in_a_pause_is_undecided_and_seated_when_asked_again_later() {
    let mut w = World::new();
    w.product("cad", 2);
    w.tell(Command::Pause);
    let report = |sequence| {
        let item = ReportItem::Checkout {
            session: 10,
            product: "cad".into(),
            subject: subject("ada"),
            seats: 1,
            ttl_seconds: 300,
            shown: None,
            gate: false,
            claim: None,
            program: None,
        };
        Command::Report(Box::new(Report {
            computer: computer("pc9"),
            name: "lab-9".into(),
            document: "{}".into(),
            incarnation: 1,
            items: vec![(sequence, item)],
        }))
    };
    let only = |reply| match reply {
        Reply::Report { items, .. } => items.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        only(w.tell(report(1))),
        ItemReply::Unseated(Reason::Undecided)
    );
    let counts = |w: &World| {
        let (_, pool) = w.ledger.product("cad").unwrap();
        (pool.in_use, pool.unseated)
    };
    assert_eq!(counts(&w), (0, 1), "it runs without a seat");
    // However often and late it comes: of it nothing was decided.
    assert_eq!(
        only(w.tell(report(1))),
        ItemReply::Unseated(Reason::Undecided)
    );
    w.tell(Command::Continue);
    assert_eq!(
        only(w.tell(report(1))),
        ItemReply::Unseated(Reason::Undecided)
    );
    w.tell(report(2));
    assert_eq!(counts(&w), (1, 0));
}

#[test]
fn a_pause_is_recovered_and_one_that_was_undone_never_was() {
    let mut w = World::new();
    w.ledger.apply(w.now, Command::Pause);
    w.ledger.undo();
    assert!(!w.ledger.is_paused());
    w.tell(Command::Pause);
    w.tell(Command::Pause);
    assert_eq!(w.events.len(), 1, "it was paused already");
    assert!(w.recovered().is_paused());
    w.tell(Command::Continue);
    assert!(!w.recovered().is_paused());
}
