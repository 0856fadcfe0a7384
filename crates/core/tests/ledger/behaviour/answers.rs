//! To whom leases are shown, which answers are given twice, and what is kept of them.

use usher_core::ledger::*;

use crate::world::*;

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
