//! What is said of entitlements besides their seats: names that lead to one, and what is carried.

use usher_core::ledger::*;

use crate::world::*;

fn details(name: Option<&str>, document: &str) -> Option<Details> {
    Some(Details {
        name: name.map(Into::into),
        document: document.into(),
    })
}

fn named(name: &str) -> EntitlementTerms {
    EntitlementTerms {
        details: details(Some(name), "{}"),
        ..terms("cad", 2)
    }
}

fn add(w: &mut World, terms: EntitlementTerms) -> Reply {
    w.tell(Command::AddEntitlement(terms))
}

fn added(w: &mut World, terms: EntitlementTerms) -> EntitlementNumber {
    match add(w, terms) {
        Reply::Entitlement(view) => view.entitlement.number,
        other => panic!("{other:?}"),
    }
}

fn change(w: &mut World, entitlement: EntitlementNumber, terms: EntitlementTerms) -> Reply {
    w.tell(Command::ChangeEntitlement { entitlement, terms })
}

fn said(w: &World, number: EntitlementNumber) -> Option<Details> {
    w.ledger.entitlement(number).map(|view| view.details)
}

#[test]
fn two_entitlements_never_have_one_name_and_a_removed_ones_is_free() {
    let mut w = World::new();
    w.product("cad", 0);
    let first = added(&mut w, named("cad-2026"));
    let seats = |w: &World| w.ledger.product("cad").map(|(_, pool)| pool.seats(w.now));
    assert_eq!(add(&mut w, named("cad-2026")), Reply::NameTaken(first));
    assert_eq!(seats(&w), Some(2), "nothing was entered");
    let second = added(&mut w, named("cad-2027"));
    let taken = change(&mut w, second, named("cad-2026"));
    assert_eq!(taken, Reply::NameTaken(first));
    // Its own name is no other's.
    let same = change(&mut w, first, named("cad-2026"));
    assert!(matches!(same, Reply::Entitlement(_)), "{same:?}");
    w.tell(Command::RemoveEntitlement { entitlement: first });
    let now_free = change(&mut w, second, named("cad-2026"));
    assert!(matches!(now_free, Reply::Entitlement(_)), "{now_free:?}");
    assert!(w.recovers());
}

#[test]
fn a_change_that_says_nothing_of_the_details_keeps_them() {
    let mut w = World::new();
    w.product("cad", 0);
    let it = added(&mut w, named("cad-2026"));
    change(&mut w, it, terms("cad", 5));
    assert_eq!(said(&w, it), named("cad-2026").details);
    let cleared = EntitlementTerms {
        details: details(None, ""),
        ..terms("cad", 5)
    };
    change(&mut w, it, cleared);
    assert_eq!(said(&w, it), Some(Details::default()));
    assert!(w.recovers());
}

#[test]
fn a_batch_that_failed_leaves_no_name_behind() {
    let mut w = World::new();
    w.product("cad", 0);
    let it = added(&mut w, named("cad-2026"));
    let before = w.ledger.clone();
    for command in [
        Command::ChangeEntitlement {
            entitlement: it,
            terms: named("cad-2027"),
        },
        Command::AddEntitlement(named("cad-2026")),
        Command::RemoveEntitlement { entitlement: it },
        Command::AddEntitlement(named("cad-2027")),
    ] {
        let reply = w.ledger.apply(w.now, command);
        assert!(!matches!(reply, Reply::NameTaken(_)), "{reply:?}");
    }
    w.ledger.undo();
    assert!(w.ledger == before);
    assert_eq!(add(&mut w, named("cad-2026")), Reply::NameTaken(it));
}

#[test]
fn a_repeated_request_is_answered_with_the_details_also_after_a_recovery() {
    let mut w = World::new();
    w.product("cad", 0);
    let once = || Command::Once {
        key: 7,
        body: 1,
        command: Box::new(Command::AddEntitlement(named("cad-2026"))),
    };
    let first = w.tell(once());
    assert!(matches!(first, Reply::Entitlement(_)), "{first:?}");
    w.ledger = w.recovered();
    assert_eq!(w.tell(once()), Reply::Replayed(Box::new(first)));
    // A name that was taken is no answer to keep: it may be free by then.
    let mut again = || {
        w.tell(Command::Once {
            key: 8,
            body: 2,
            command: Box::new(Command::AddEntitlement(named("cad-2026"))),
        })
    };
    let Reply::NameTaken(it) = again() else {
        panic!("the name is taken")
    };
    assert_eq!(again(), Reply::NameTaken(it));
}
