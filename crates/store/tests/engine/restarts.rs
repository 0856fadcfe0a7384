//! What was answered is there again, exactly.

use std::sync::Arc;
use std::sync::Mutex;

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

#[test]
fn a_restart_gives_the_same_ledger_from_the_tables() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
    engine.execute(Command::Pause).unwrap();
    let before = ledger(&engine);
    engine.close();
    let (engine, opened) = open_with(data.path(), clock.clone()).unwrap();
    assert_eq!(opened.replayed, 0, "a clean stop leaves no journal");
    assert!(ledger(&engine) == before);
    engine.close();
}

#[test]
fn a_killed_process_gives_the_same_ledger_from_the_journal() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
    let before = ledger(&engine);
    // What a killed process leaves: the files as they are, with the log beside them.
    let copy = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
    }
    let (survivor, opened) = open_with(copy.path(), clock.clone()).unwrap();
    assert!(ledger(&survivor) == before);
    assert!(opened.leases >= 2);
    survivor.close();
    engine.close();
}

#[test]
fn filling_the_tables_changes_nothing_that_recovery_sees() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
    engine.settle().unwrap();
    engine.execute(asks("cad", "zoe", false)).unwrap();
    let before = ledger(&engine);
    let copy = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
    }
    let survivor = open(copy.path(), &clock);
    assert!(ledger(&survivor) == before, "half tables, half journal");
    survivor.close();
    engine.close();
}

#[test]
fn what_was_asked_for_at_once_is_one_again_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "solver", 1);
    product(&engine, "pack", 3);
    let Reply::Granted { lease, also } = engine.execute(asks_for_two("ivy", false)).unwrap().reply
    else {
        panic!("it was not granted");
    };
    let Reply::Queued(view) = engine.execute(asks_for_two("jon", true)).unwrap().reply else {
        panic!("it was not queued");
    };
    engine.close();
    let engine = open(data.path(), &clock);
    let pack = also[0].lease.unwrap();
    let checkin = Command::Checkin {
        lease: pack,
        access: Access::Anyone,
    };
    engine.execute(checkin).unwrap();
    let (held, served) = engine
        .read(move |ledger, _| {
            let served = ledger.ticket(view.ticket.id.number).cloned();
            (ledger.lease(lease.id.number).is_some(), served)
        })
        .unwrap();
    assert!(!held, "the solver was given back with its packs");
    assert!(matches!(served.unwrap().state, TicketState::Granted { .. }));
    // Each product has its own row, for whoever counts what was asked for.
    engine.settle().unwrap();
    let file = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    let asks: Vec<(String, i64, String)> = file
        .prepare(
            "SELECT p.id, a.seats, a.also FROM asks a JOIN products p ON p.number = a.product \
             WHERE a.bundle IS NOT NULL ORDER BY a.number",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let of = |product: &str, seats, also: &str| (product.to_owned(), seats, also.to_owned());
    let each = [of("solver", 1, "2:2"), of("pack", 2, "1:1")];
    assert_eq!(asks, [&each[..], &each[..]].concat());
    drop(file);
    engine.close();
}

#[test]
fn a_closed_engine_says_that_it_is_stopping() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    engine.close();
    assert_eq!(engine.execute(Command::Tick), Err(Failure::Stopping));
    assert_eq!(engine.settle(), Err(Failure::Stopping));
}

#[test]
fn batches_are_published_in_order_and_only_when_durable() {
    let data = tempfile::tempdir().unwrap();
    let seen: Arc<Mutex<Vec<(u64, usize)>>> = Arc::default();
    let sink = seen.clone();
    let (engine, _) = Engine::open(EngineOptions {
        data: data.path().into(),
        clock: TestClock::new(),
        on_durable: Box::new(move |batch| {
            sink.lock().unwrap().push((batch.first, batch.events.len()));
        }),
    })
    .unwrap();
    busy(&engine);
    engine.close();
    let seen = seen.lock().unwrap();
    let mut next = 1;
    for (first, count) in seen.iter() {
        assert_eq!(*first, next);
        next += *count as u64;
    }
    assert!(next > 20);
}

/// A session of `user` that claims the lease of their ticket.
fn claims(sequence: u64, product: &str, user: &str, lease: LeaseId) -> (u64, ReportItem) {
    let Command::Checkout(asked) = asks(product, user, false) else {
        unreachable!()
    };
    let item = ReportItem::Checkout {
        session: sequence,
        product: product.into(),
        subject: asked.subject,
        seats: 1,
        ttl_seconds: 60,
        shown: None,
        gate: true,
        claim: Some(lease),
        program: None,
    };
    (sequence, item)
}

#[test]
fn a_lease_that_was_claimed_is_its_sessions_again_from_journal_and_tables() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    shared_product(&engine, "suite", 1);
    let ticket = |product: &str| {
        let holder = granted(&engine, product, "ada");
        engine.execute(asks(product, "bob", true)).unwrap();
        let checkin = Command::Checkin {
            lease: holder.id,
            access: Access::Anyone,
        };
        engine.execute(checkin).unwrap();
        let of_ticket = |lease: &Lease| lease.ticket.is_some() && lease.session.is_none();
        let ledger = ledger(&engine);
        ledger.leases().find(of_ticket).unwrap().id
    };
    let report = |item| {
        let report = Report {
            computer: ComputerRef {
                key: "lab-computer".into(),
                candidate: 1,
            },
            name: "lab".into(),
            document: "{}".into(),
            incarnation: 1,
            items: vec![item],
        };
        let reply = engine.execute(Command::Report(Box::new(report))).unwrap();
        assert!(matches!(
            reply.reply,
            Reply::Report { ref items, .. } if matches!(items[..], [ItemReply::Granted { .. }])
        ));
    };
    // The one is written before it is claimed, the other is granted and claimed in one slice.
    let lease = ticket("cad");
    engine.settle().unwrap();
    report(claims(1, "cad", "bob", lease));
    engine.settle().unwrap();
    report(claims(2, "suite", "bob", ticket("suite")));
    let before = ledger(&engine);
    let named = |lease: Lease| {
        (
            lease.session.map(|session| session.session),
            lease.holders.len(),
            lease.ttl_seconds,
        )
    };
    let mut seats: Vec<_> = before.leases().map(named).collect();
    seats.sort_unstable();
    assert_eq!(seats, [(Some(1), 0, 60), (Some(2), 1, 60)]);
    let copy = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
    }
    let survivor = open(copy.path(), &clock);
    assert!(ledger(&survivor) == before, "half tables, half journal");
    survivor.close();
    let survivor = open(copy.path(), &clock);
    assert!(ledger(&survivor) == before, "tables");
    survivor.close();
    engine.close();
}

#[test]
fn what_was_taken_over_after_a_restore_is_there_again_from_journal_and_tables() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 3);
    let reincarnate = |engine: &Engine, incarnation| {
        let hold_until = Some(engine.read(|_, now| now.steady.plus_seconds(600)).unwrap());
        let incarnation = Incarnation(incarnation);
        let command = Command::Reincarnate {
            incarnation,
            hold_until,
        };
        engine.execute(command).unwrap();
    };
    reincarnate(&engine, 9);
    let shows = |sequence: u64| {
        let shown = Shown {
            lease: LeaseId {
                incarnation: Incarnation(8),
                number: EventNumber(1_000 + sequence),
            },
            granted_at: Wall(clock.wall_ms()),
            remaining_seconds: 60,
        };
        let item = ReportItem::Checkout {
            session: sequence,
            product: "cad".into(),
            subject: SubjectRef {
                authority: "computer:pc9".into(),
                key: "1000".into(),
                name: "ada".into(),
                candidate: sequence,
            },
            seats: 1,
            ttl_seconds: 300,
            shown: Some(shown),
            gate: false,
            claim: None,
            program: None,
        };
        (sequence, item)
    };
    report(&engine, vec![shows(1)]);
    engine.settle().unwrap();
    report(&engine, vec![shows(2)]);
    let before = ledger(&engine);
    assert_eq!(before.adopted().count(), 2);
    let copy = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
    }
    let survivor = open(copy.path(), &clock);
    assert!(ledger(&survivor) == before, "half tables, half journal");
    survivor.close();
    let survivor = open(copy.path(), &clock);
    assert!(ledger(&survivor) == before, "tables");
    reincarnate(&survivor, 10);
    survivor.close();
    let survivor = open(copy.path(), &clock);
    assert_eq!(ledger(&survivor).adopted().count(), 0, "another life");
    survivor.close();
    engine.close();
}
