//! What becomes of leases that a restored ledger does not know.

mod histories;

use usher_core::ledger::*;

use crate::world::*;

const TTL_SECONDS: u32 = 300;
const HOLD_SECONDS: u64 = 400;

fn wants(session: u64, shown: Option<Shown>) -> ReportItem {
    ReportItem::Checkout {
        session,
        product: "cad".into(),
        subject: subject(&format!("user{session}")),
        seats: 1,
        ttl_seconds: TTL_SECONDS,
        shown,
        gate: false,
        claim: None,
        program: None,
    }
}

fn report(at: u8, sequence: u64, item: ReportItem) -> Command {
    Command::Report(Box::new(Report {
        computer: computer(&format!("pc{at}")),
        name: "lab".into(),
        document: "".into(),
        incarnation: 1,
        items: vec![(sequence, item)],
    }))
}

fn only(reply: Reply) -> ItemReply {
    match reply {
        Reply::Report { mut items, .. } => items.remove(0),
        other => panic!("no report: {other:?}"),
    }
}

fn leased(reply: Reply) -> LeaseId {
    match only(reply) {
        ItemReply::Granted { lease, .. } => lease,
        other => panic!("not granted: {other:?}"),
    }
}

fn new_life(w: &mut World, snapshot: Ledger) {
    w.ledger = snapshot;
    w.events.clear();
    w.tell(Command::Reincarnate {
        incarnation: Incarnation(9),
        hold_until: Some(w.now.steady.plus_seconds(HOLD_SECONDS)),
    });
}

fn shown(w: &World, lease: LeaseId) -> Shown {
    Shown {
        lease,
        granted_at: w.now.wall,
        remaining_seconds: 200,
    }
}

/// Two seats; a snapshot without leases; then two sessions of pc1 that were seated, and a new life.
fn restored() -> (World, [LeaseId; 2]) {
    let mut w = World::new();
    w.product("cad", 2);
    let snapshot = w.ledger.clone();
    let leases = [10, 11].map(|n| leased(w.tell(report(1, n, wants(n, None)))));
    new_life(&mut w, snapshot);
    (w, leases)
}

#[test]
fn a_lease_that_the_snapshot_does_not_know_is_taken_over_while_nobody_else_is_granted_any() {
    let (mut w, [first, _]) = restored();
    let granted_at = w.now.wall;
    w.pass(60);
    let mut first_shown = shown(&w, first);
    first_shown.granted_at = granted_at;
    let now = leased(w.tell(report(1, 20, wants(10, Some(first_shown)))));
    assert_eq!(now.incarnation, Incarnation(9));
    let lease = w.ledger.lease(now.number).unwrap();
    let session = lease.session.map(|session| session.session);
    assert_eq!((lease.granted_at, session), (granted_at, Some(10)));
    assert_eq!(w.now.steady.since_ms(lease.granted), 60_000);
    assert!(matches!(w.checkout("cad", "cyd"), Reply::Held { .. }));
    assert_eq!(
        only(w.tell(report(1, 21, wants(12, None)))),
        ItemReply::Unseated(Reason::Undecided)
    );
    // It lives on as any other, beyond the hold too.
    for n in 0..3 {
        w.pass(200);
        let renewed = w.tell(report(1, 30 + n, ReportItem::Renew { session: 10 }));
        assert!(matches!(only(renewed), ItemReply::Renewed { .. }));
    }
}

#[test]
fn a_lease_is_taken_over_once_and_who_shows_it_again_keeps_what_it_has() {
    let (mut w, [first, _]) = restored();
    let shown = shown(&w, first);
    let now = leased(w.tell(report(1, 20, wants(10, Some(shown)))));
    assert_eq!(leased(w.tell(report(1, 20, wants(10, Some(shown))))), now);
    assert_eq!(leased(w.tell(report(1, 21, wants(10, Some(shown))))), now);
    let copy = w.tell(report(2, 1, wants(10, Some(shown))));
    assert_eq!(only(copy), ItemReply::Unseated(Reason::Undecided));
    w.tell(report(1, 22, ReportItem::Checkin { session: 10 }));
    let again = w.tell(report(1, 23, wants(10, Some(shown))));
    assert_eq!(only(again), ItemReply::Unseated(Reason::Undecided));
    assert_eq!(w.ledger.product("cad").unwrap().1.in_use, 0);
}

#[test]
fn only_what_the_snapshot_cannot_have_known_is_taken_over() {
    let mut w = World::new();
    w.product("cad", 3);
    let known = leased(w.tell(report(1, 1, wants(10, None))));
    w.tell(report(1, 2, ReportItem::Checkin { session: 10 }));
    let snapshot = w.ledger.clone();
    let later = leased(w.tell(report(1, 3, wants(11, None))));
    new_life(&mut w, snapshot);
    let undecided = |w: &mut World, sequence, shown| {
        let reply = w.tell(report(1, sequence, wants(50, Some(shown))));
        assert_eq!(
            only(reply),
            ItemReply::Unseated(Reason::Undecided),
            "{shown:?}"
        );
    };
    let good = shown(&w, later);
    undecided(
        &mut w,
        10,
        Shown {
            lease: known,
            ..good
        },
    );
    let own = LeaseId {
        incarnation: Incarnation(9),
        ..later
    };
    undecided(&mut w, 11, Shown { lease: own, ..good });
    for remaining_seconds in [0, 86_401, u32::MAX] {
        let shown = Shown {
            remaining_seconds,
            ..good
        };
        undecided(&mut w, 12 + u64::from(remaining_seconds % 7), shown);
    }
    leased(w.tell(report(1, 30, wants(50, Some(good)))));
}

#[test]
fn nothing_is_taken_over_in_a_pause_for_no_lease_of_before_is_unknown_then() {
    let mut w = World::new();
    w.product("cad", 1);
    w.tell(Command::Pause);
    let invented = Shown {
        lease: LeaseId {
            incarnation: Incarnation(99),
            number: EventNumber(1_000_000),
        },
        granted_at: w.now.wall,
        remaining_seconds: 300,
    };
    let reply = w.tell(report(1, 1, wants(10, Some(invented))));
    assert_eq!(only(reply), ItemReply::Unseated(Reason::Undecided));
    assert_eq!(w.ledger.lease_count(), 0);

    // In a hold that is paused as well, leases of before are still taken over; not after it.
    for (seconds, taken) in [(0, 1), (HOLD_SECONDS, 0)] {
        let (mut w, [first, _]) = restored();
        w.tell(Command::Pause);
        let shown = shown(&w, first);
        w.pass(seconds);
        w.tell(report(1, 20, wants(10, Some(shown))));
        assert_eq!(w.ledger.lease_count(), taken, "after {seconds} s");
    }
}

#[test]
fn no_more_are_taken_over_than_seats_are_free_and_none_after_the_hold_or_of_a_closed_product() {
    let (mut w, [first, second]) = restored();
    let entitlement = w.ledger.entitlements().next().unwrap().number;
    w.tell(Command::ChangeEntitlement {
        entitlement,
        terms: terms("cad", 1),
    });
    let (one, two) = (shown(&w, first), shown(&w, second));
    leased(w.tell(report(1, 20, wants(10, Some(one)))));
    let over = w.tell(report(1, 21, wants(11, Some(two))));
    assert_eq!(only(over), ItemReply::Unseated(Reason::Undecided));

    let (mut w, [first, second]) = restored();
    let (one, two) = (shown(&w, first), shown(&w, second));
    let disabled = ProductSpec {
        enabled: false,
        ..spec("cad")
    };
    w.tell(Command::PutProduct {
        spec: disabled,
        new: false,
    });
    let closed = w.tell(report(1, 20, wants(10, Some(one))));
    assert_eq!(only(closed), ItemReply::Unseated(Reason::ProductDisabled));
    w.tell(Command::PutProduct {
        spec: spec("cad"),
        new: false,
    });
    w.pass(HOLD_SECONDS);
    // Who waits for both seats is not overtaken by who shows a lease of one.
    let other = w.granted("cad", "ada").id;
    let wide = w.queued_with("cad", "bob", 2, 0);
    let overtakes = w.tell(report(1, 25, wants(10, Some(one))));
    assert_eq!(only(overtakes), ItemReply::Unseated(Reason::NoSeat));
    w.tell(Command::Cancel {
        ticket: wide,
        access: Access::Anyone,
    });
    w.checkin(other);
    let plain = leased(w.tell(report(1, 26, wants(11, Some(two)))));
    assert_eq!(w.ledger.lease(plain.number).unwrap().granted, w.now.steady);
    assert_eq!(w.ledger.adopted().count(), 0);
}

#[test]
fn a_seat_that_comes_free_as_a_new_life_begins_waits_for_the_end_of_the_hold() {
    for reboot in [false, true] {
        let mut w = World::new();
        w.product("cad", 1);
        w.granted("cad", "ada");
        w.pass(290);
        let ticket = w.queued("cad", "bob");
        let snapshot = w.ledger.clone();
        w.pass_ms(15_000);
        new_life(&mut w, snapshot);
        if reboot {
            w.tell(Command::Rebooted);
        }
        let view = w.poll(ticket);
        assert!(
            matches!(view.ticket.state, TicketState::Waiting { .. }),
            "{view:?}"
        );
        assert!(
            matches!(w.events[0].2, Event::Reincarnated { .. }),
            "nothing is decided in the old life's name"
        );
    }
}

#[test]
fn an_adoption_is_taken_back_and_recovered_as_any_decision() {
    let (mut w, [first, second]) = restored();
    let base = w.ledger.clone();
    let (one, two) = (shown(&w, first), shown(&w, second));
    w.tell(report(1, 20, wants(10, Some(one))));
    let before = w.ledger.clone();
    w.ledger.apply(w.now, report(1, 21, wants(11, Some(two))));
    w.ledger.apply(
        w.now,
        Command::Reincarnate {
            incarnation: Incarnation(11),
            hold_until: None,
        },
    );
    w.ledger.undo();
    assert!(w.ledger == before);
    let mut recovered = base;
    for (at, number, event) in &w.events[1..] {
        recovered.absorb(*at, *number, event);
    }
    assert!(recovered == w.ledger);
}
