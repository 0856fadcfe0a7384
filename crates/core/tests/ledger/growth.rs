//! What comes of names that are made up as they are needed: no directory without an end.

use usher_core::ledger::*;

use crate::world::*;

/// A refusal of somebody new on a computer that is new.
fn refused(w: &mut World, number: u64) -> Reply {
    let person = SubjectRef {
        candidate: 1_000_000 + number,
        ..subject(&format!("u{number}"))
    };
    let at = ComputerRef {
        candidate: 1_000_000 + number,
        ..computer(&format!("container-{number}"))
    };
    w.ledger.apply(
        w.now,
        Command::Checkout(Checkout {
            subject: person,
            computer: at,
            ..asks("cad", "", 1, false, 0)
        }),
    )
}

#[test]
fn refusals_of_made_up_names_fill_no_directory_and_who_gets_a_seat_is_entered_all_the_same() {
    let mut w = World::new();
    w.product("cad", 1);
    let held = w.granted("cad", "ada");
    for number in 0..2 * CROWD_LIMIT as u64 {
        let reply = refused(&mut w, number);
        assert!(matches!(reply, Reply::Denied { .. }), "{reply:?}");
        if number % 1_000 == 0 {
            w.ledger.seal();
        }
    }
    w.ledger.seal();
    let (people, computers) = (w.ledger.subjects(), w.ledger.computers());
    assert!(people.len() <= CROWD_LIMIT + 1, "{} people", people.len());
    assert!(computers.len() <= CROWD_LIMIT + 1);
    assert!(people.find("", "").is_some_and(|all| &*all.name == OTHERS));
    // The rest is one refusal, counted.
    let one = refused(&mut w, u64::MAX / 2);
    let other = refused(&mut w, u64::MAX / 2 + 1);
    let decision = |reply: &Reply| match reply {
        Reply::Denied { decision, .. } => *decision,
        reply => panic!("{reply:?}"),
    };
    assert_eq!(decision(&one), decision(&other));

    w.checkin(held.id);
    let lease = w.granted("cad", "zoe");
    let zoe = w.ledger.subjects().get(lease.subject).unwrap();
    assert_eq!(&*zoe.name, "zoe");
}

#[test]
fn nobody_is_forgotten_who_is_named_while_the_tables_are_looked_through() {
    let mut w = World::new();
    w.product("cad", 1);
    w.granted("cad", "ada");
    w.checkout("cad", "bob");
    w.checkout("cad", "cyd");
    let id = |w: &World, name: &str| w.ledger.subjects().find("usher", name).map(|it| it.id);
    let both: Vec<SubjectId> = ["bob", "cyd"].iter().filter_map(|n| id(&w, n)).collect();
    let forget = || Command::Forget {
        subjects: both.clone(),
        computers: Vec::new(),
    };
    w.tell(forget());
    assert!(id(&w, "bob").is_some(), "without a watch nobody goes");
    w.tell(Command::WatchDirectory { on: true });
    w.checkout("cad", "cyd");
    let before = w.ledger.clone();
    w.ledger.apply(w.now, forget());
    w.ledger.undo();
    assert!(
        w.ledger == before,
        "an undone batch has left something behind"
    );
    w.tell(forget());
    w.tell(Command::WatchDirectory { on: false });
    assert!(id(&w, "bob").is_none());
    assert!(id(&w, "cyd").is_some());
    assert!(w.recovers());
    // Who comes back is somebody new to it.
    w.checkout("cad", "bob");
    assert!(id(&w, "bob").is_some());
}
