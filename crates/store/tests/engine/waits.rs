//! What the tables tell of who waited in vain.

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

fn queued(engine: &Engine, user: &str) -> TicketId {
    match engine.execute(asks("cad", user, true)).unwrap().reply {
        Reply::Queued(view) => view.ticket.id,
        other => panic!("{other:?}"),
    }
}

fn checkin(engine: &Engine, lease: LeaseId) {
    let access = Access::Anyone;
    engine.execute(Command::Checkin { lease, access }).unwrap();
}

fn cancel(engine: &Engine, ticket: TicketId) {
    let access = Access::Anyone;
    engine.execute(Command::Cancel { ticket, access }).unwrap();
}

fn poll(engine: &Engine, ticket: TicketId) {
    let poll = Command::Poll {
        ticket,
        access: Access::Anyone,
        keep_seconds: 30,
    };
    engine.execute(poll).unwrap();
}

fn in_vain(engine: &Engine, filter: &DenialFilter) -> Vec<(String, WaitEnd, u64)> {
    engine.settle().unwrap();
    let rows = engine.history().waits_in_vain(filter, 0, 100).unwrap();
    let rows = rows.rows.into_iter();
    rows.map(|row| (row.user, row.end, row.waited_ms / 1_000))
        .collect()
}

#[test]
fn who_waited_in_vain_is_told_with_how_it_ended_and_who_was_seated_is_not() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "ada").id;
    let bob = queued(&engine, "bob");
    clock.pass(5);
    cancel(&engine, bob);
    // Nobody asks after it.
    queued(&engine, "cyd");
    clock.pass(31);
    engine.execute(Command::Tick).unwrap();
    // Its seat comes, and nobody fetches it.
    queued(&engine, "dan");
    clock.pass(7);
    checkin(&engine, held);
    clock.pass(16);
    engine.execute(Command::Tick).unwrap();
    // Who is seated by one of two requests leaves the queue with the other.
    let held = granted(&engine, "cad", "eve").id;
    let [first, second] = [queued(&engine, "fay"), queued(&engine, "fay")];
    checkin(&engine, held);
    poll(&engine, first);
    cancel(&engine, second);
    queued(&engine, "gus");
    clock.pass(3);
    let removal = Command::As {
        by: By {
            kind: ActorKind::Token,
            id: "K1".into(),
            request: 7,
        },
        command: Box::new(Command::RemoveProduct {
            product: "cad".into(),
        }),
    };
    engine.execute(removal).unwrap();
    let all = DenialFilter::default();
    let ended = |user: &str, end, seconds| (user.to_owned(), end, seconds);
    assert_eq!(
        in_vain(&engine, &all),
        [
            ended("gus", WaitEnd::ProductRemoved, 3),
            ended("dan", WaitEnd::NotFetched, 7),
            ended("cyd", WaitEnd::TimedOut, 31),
            ended("bob", WaitEnd::GaveUp, 5),
        ]
    );
    let of_cyd = DenialFilter {
        user: Some("cyd".into()),
        ..all.clone()
    };
    assert_eq!(in_vain(&engine, &of_cyd).len(), 1);
    let later = DenialFilter {
        since: Some(clock.wall_ms()),
        ..all
    };
    assert_eq!(
        in_vain(&engine, &later),
        [ended("gus", WaitEnd::ProductRemoved, 3)]
    );
    let page = engine
        .history()
        .waits_in_vain(&DenialFilter::default(), 0, 3);
    let page = page.unwrap();
    assert_eq!(page.rows.len(), 3);
    let rest = engine
        .history()
        .waits_in_vain(&DenialFilter::default(), page.next.unwrap(), 3)
        .unwrap();
    assert_eq!((rest.rows.len(), rest.next), (1, None));
    engine.close();
}
