//! What the tables tell of who had, wanted and was refused seats.

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

fn filter(product: &str, since: i64, until: i64) -> DemandFilter {
    DemandFilter {
        product: product.into(),
        since,
        until,
        limit: 100,
    }
}

/// Kind, person, seconds from the beginning to the end, and whether it waited.
type Seen = (DemandKind, String, Option<i64>, bool);

fn seen(engine: &Engine, filter: &DemandFilter) -> Vec<Seen> {
    engine.settle().unwrap();
    let history = engine.history();
    let rows = history.demand(filter).unwrap().rows;
    let mut seen: Vec<Seen> = rows
        .iter()
        .map(|row| {
            let names = history.names(row.subject, row.computer).unwrap();
            let lasted = row.until.map(|until| (until - row.from) / 1_000);
            (row.kind, names.user, lasted, row.ticket.is_some())
        })
        .collect();
    seen.sort_by(|a, b| a.1.cmp(&b.1));
    seen
}

fn finished(session: u64, user: &str, lease: Option<LeaseId>, unseated_ms: u64) -> ReportItem {
    let now = 1_700_000_000_000;
    ReportItem::Finished {
        session,
        product: "cad".into(),
        program: "cad.bin".into(),
        version: None,
        subject: SubjectRef {
            authority: "computer:pc9".into(),
            key: user.into(),
            name: user.into(),
            candidate: session,
        },
        real_subject: None,
        started_at: Wall(now),
        first_reported: None,
        ended_at: Wall(now + 40_000),
        duration_ms: 40_000,
        unseated_ms,
        lease,
    }
}

#[test]
fn a_wait_is_part_of_the_lease_that_came_of_it_and_refusals_and_unseated_sessions_are_told() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let began = clock.wall_ms();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let first = granted(&engine, "cad", "ada");
    clock.pass(10);
    engine.execute(asks("cad", "bob", true)).unwrap();
    for _ in 0..2 {
        engine.execute(asks("cad", "cyd", false)).unwrap();
    }
    clock.pass(20);
    let checkin = |lease| Command::Checkin {
        lease,
        access: Access::Anyone,
    };
    engine.execute(checkin(first.id)).unwrap();
    let second = ledger(&engine).leases().next().unwrap().id;
    report(&engine, vec![(1, finished(7, "dan", None, 40_000))]);
    clock.pass(5);
    engine.execute(checkin(second)).unwrap();
    let all = filter("cad", began, clock.wall_ms() + 1);
    let told = seen(&engine, &all);
    use DemandKind::{Leased, Refused, Unseated};
    assert_eq!(
        told,
        [
            (Leased, "ada".to_owned(), Some(30), false),
            (Leased, "bob".to_owned(), Some(25), true),
            (Refused, "cyd".to_owned(), Some(0), false),
            (Unseated, "dan".to_owned(), Some(40), false),
        ]
    );
    let rows = engine.history().demand(&all).unwrap();
    let refused = rows.rows.iter().find(|row| row.kind == Refused).unwrap();
    assert_eq!(refused.times, 2);
    assert_eq!((rows.sessions, rows.lengths_ms.len()), (3, 3));
    assert_eq!((rows.first_at, rows.is_cut), (Some(began), false));
    let cut = DemandFilter { limit: 1, ..all };
    assert!(engine.history().demand(&cut).unwrap().is_cut);
    let before = filter("cad", began - 1_000, began);
    assert_eq!(seen(&engine, &before), []);
    assert_eq!(seen(&engine, &filter("cow", 0, i64::MAX)), []);
    engine.close();
}

#[test]
fn what_lasts_and_what_ran_before_it_had_its_seat_is_told() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let began = clock.wall_ms();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    clock.pass(10);
    let lease = granted(&engine, "cad", "ada");
    engine.execute(asks("cad", "bob", true)).unwrap();
    // Ten of its forty seconds were without a seat.
    report(
        &engine,
        vec![(1, finished(7, "ada", Some(lease.id), 10_000))],
    );
    let all = filter("cad", began, clock.wall_ms() + 1);
    use DemandKind::{Leased, Waited};
    assert_eq!(
        seen(&engine, &all),
        [
            (Leased, "ada".to_owned(), None, false),
            (Waited, "bob".to_owned(), None, true),
        ]
    );
    let rows = engine.history().demand(&all).unwrap().rows;
    let held = rows.iter().find(|row| row.kind == Leased).unwrap();
    assert_eq!(
        (held.from, held.granted_at),
        (began, Some(began + 10_000)),
        "it wanted its seat before it had it"
    );
    engine.close();
}
