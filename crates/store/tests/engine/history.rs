//! What the tables tell.

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

#[test]
fn history_tells_who_held_the_seats_at_the_instant_of_a_refusal() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "ada");
    let Reply::Denied { decision, .. } = engine.execute(asks("cad", "bob", false)).unwrap().reply
    else {
        panic!("not denied");
    };
    clock.pass(10);
    engine
        .execute(Command::Checkin {
            lease: held.id,
            access: Access::Anyone,
        })
        .unwrap();
    granted(&engine, "cad", "cyd");
    engine.settle().unwrap();
    let why = engine.history().decision(decision).unwrap().unwrap();
    let holders: Vec<&str> = why
        .holders
        .iter()
        .map(|holder| holder.user.as_str())
        .collect();
    assert_eq!(holders, ["ada"]);
    assert_eq!((why.scene.seats, why.scene.in_use), (1, 1));
    assert_eq!(why.reason.as_deref(), Some("no_seat"));
    engine.close();
}

#[test]
fn a_use_is_one_session_however_it_was_seated() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let lease = granted(&engine, "cad", "ada");
    clock.pass(60);
    engine
        .execute(Command::Checkin {
            lease: lease.id,
            access: Access::Anyone,
        })
        .unwrap();
    engine.settle().unwrap();
    let list = |engine: &Engine| {
        let filter = SessionFilter::default();
        engine
            .history()
            .sessions(&filter, clock.wall_ms(), None, 100)
            .unwrap()
            .rows
    };
    let alone = list(&engine);
    assert_eq!(alone.len(), 1);
    assert_eq!(
        (alone[0].user.as_str(), alone[0].duration_ms),
        ("ada", 60_000)
    );
    assert_eq!(alone[0].program.as_deref(), Some("tool"), "as was said");
    // The agent saw the same use: its session takes the lease's place.
    let finished = ReportItem::Finished {
        session: 5,
        product: "cad".into(),
        program: "cad.bin".into(),
        version: None,
        subject: SubjectRef {
            authority: "computer:pc9".into(),
            key: "1000".into(),
            name: "ada".into(),
            candidate: 5,
        },
        real_subject: None,
        started_at: lease.granted_at,
        first_reported: None,
        ended_at: Wall(lease.granted_at.0 + 59_000),
        duration_ms: 59_000,
        unseated_ms: 0,
        lease: Some(lease.id),
    };
    report(&engine, vec![(1, finished)]);
    engine.settle().unwrap();
    let merged = list(&engine);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].program.as_deref(), Some("cad.bin"));
    assert_eq!(
        merged[0].lease.as_deref(),
        Some(lease.id.to_string().as_str())
    );
    engine.close();
}

/// A session of a person, told of by an agent after it has ended.
fn told_later(session: u64, user: &str, started_ms: i64) -> ReportItem {
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
        started_at: Wall(started_ms),
        first_reported: None,
        ended_at: Wall(started_ms + 1_000),
        duration_ms: 1_000,
        unseated_ms: 1_000,
        lease: None,
    }
}

#[test]
fn sessions_are_listed_by_their_start_however_late_they_were_told_of() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let began = clock.wall_ms();
    clock.pass(60);
    granted(&engine, "cad", "eve");
    // After an outage, the last first.
    let late = [
        (1, told_later(1, "dan", began + 40_000)),
        (2, told_later(2, "bob", began + 20_000)),
        (3, told_later(3, "ann", began)),
        (4, told_later(4, "cyd", began + 20_000)),
    ];
    report(&engine, late.into());
    engine.settle().unwrap();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let filter = SessionFilter::default();
        let page = engine
            .history()
            .sessions(&filter, clock.wall_ms(), before, 2)
            .unwrap();
        seen.extend(page.rows.into_iter().map(|row| row.user));
        let Some(next) = page.next else {
            break;
        };
        before = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(seen, ["eve", "dan", "cyd", "bob", "ann"]);
    engine.close();
}

#[test]
fn uses_are_recorded_since_a_server_wrote_the_file_or_an_agent_saw_one_before() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let began = clock.wall_ms();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    clock.pass(60);
    let since = |kept_from| {
        engine.settle().unwrap();
        engine.history().recorded_since(kept_from).unwrap()
    };
    assert_eq!(since(0), Some(began));
    assert_eq!(
        since(began + 30_000),
        Some(began + 30_000),
        "a pack may have removed what was before"
    );
    report(&engine, vec![(1, told_later(1, "ann", began - 5_000))]);
    assert_eq!(since(began + 30_000), Some(began - 5_000));
    engine.close();
}

#[test]
fn what_runs_without_a_seat_is_named_while_it_runs() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "bob");
    let starts = |program: Option<&str>| ReportItem::Checkout {
        session: 5,
        product: "cad".into(),
        subject: SubjectRef {
            authority: "computer:pc9".into(),
            key: "1000".into(),
            name: "ada".into(),
            candidate: 5,
        },
        seats: 1,
        ttl_seconds: 300,
        shown: None,
        gate: false,
        claim: None,
        program: program.map(Into::into),
    };
    report(&engine, vec![(1, starts(Some("cad.bin")))]);
    // It is asked for again.
    report(&engine, vec![(2, starts(None))]);
    engine
        .execute(Command::Checkin {
            lease: held.id,
            access: Access::Anyone,
        })
        .unwrap();
    engine.settle().unwrap();
    let filter = SessionFilter::default();
    let history = engine.history();
    let rows = history
        .sessions(&filter, clock.wall_ms(), None, 100)
        .unwrap();
    let running = rows.rows.iter().filter(|row| row.ended_at.is_none());
    let programs: Vec<Option<&str>> = running.map(|row| row.program.as_deref()).collect();
    assert_eq!(programs, [Some("cad.bin")]);
    engine.close();
}

#[test]
fn a_seat_that_was_waited_for_is_a_use_once_it_is_fetched_and_not_before() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let began = clock.wall_ms();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "ada");
    let waits = |user| match engine.execute(asks("cad", user, true)).unwrap().reply {
        Reply::Queued(view) => view.ticket.id,
        other => panic!("not queued: {other:?}"),
    };
    let (_gone, left, fetched) = (waits("bob"), waits("cyd"), waits("dan"));
    let tell = |command| drop(engine.execute(command).unwrap());
    let users = |engine: &Engine| {
        engine.settle().unwrap();
        let (history, now) = (engine.history(), clock.wall_ms());
        let filter = SessionFilter::default();
        let rows = history.sessions(&filter, now, None, 100).unwrap().rows;
        let by_session: Vec<String> = rows.into_iter().map(|row| row.user).collect();
        let filter = UsageFilter {
            since: began,
            until: now + 1,
            ..UsageFilter::default()
        };
        let sums = history.usage(&filter, now, (0, 100)).unwrap().rows;
        assert_eq!(sums[0].users, by_session.len() as u64);
        by_session
    };
    clock.pass(5);
    tell(Command::Checkin {
        lease: held.id,
        access: Access::Anyone,
    });
    assert_eq!(users(&engine), ["ada"], "nobody has fetched it yet");
    // The first does not ask for it in time; the second leaves.
    clock.pass(16);
    tell(Command::Tick);
    tell(Command::Cancel {
        ticket: left,
        access: Access::Anyone,
    });
    assert_eq!(users(&engine), ["ada"]);
    tell(Command::Poll {
        ticket: fetched,
        access: Access::Anyone,
        keep_seconds: 60,
    });
    assert_eq!(users(&engine), ["dan", "ada"]);
    let demand = DemandFilter {
        product: "cad".into(),
        since: began,
        until: clock.wall_ms() + 1,
        limit: 100,
    };
    let rows = engine.history().demand(&demand).unwrap();
    let count = |kind| rows.rows.iter().filter(|row| row.kind == kind).count();
    assert_eq!(
        (count(DemandKind::Leased), count(DemandKind::Waited)),
        (2, 2),
        "two have waited in vain"
    );
    assert_eq!(rows.sessions, 2);
    engine.close();
}

#[test]
fn names_stand_in_their_own_tables_only() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
    let token = TokenRow {
        id: "t1".to_owned(),
        hash: [7; 32],
        role: "client".to_owned(),
        name: "for the lab".to_owned(),
        user: Some("wilhelmina".to_owned()),
        account: Some("Wilhelmina".to_owned()),
        realm: Some("usher".to_owned()),
        computer: None,
        created_at: 1,
        expires_at: None,
        revoked_at: None,
    };
    engine.tokens().add(token.clone()).unwrap();
    assert_eq!(engine.tokens().list().unwrap(), [token]);
    engine.close();
    let connection = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut seen = 0;
    for table in tables {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let text: String = (0..columns)
                .map(|column| format!("{:?} ", row.get_ref(column).unwrap()))
                .collect();
            let bytes: Vec<u8> = (0..columns)
                .filter_map(|column| {
                    row.get_ref(column)
                        .unwrap()
                        .as_bytes()
                        .ok()
                        .map(<[u8]>::to_vec)
                })
                .flatten()
                .collect();
            for name in ["wilhelmina", "Wilhelmina", "lab-computer", "lab-9", "gus"] {
                let found =
                    text.contains(name) || bytes.windows(name.len()).any(|w| w == name.as_bytes());
                if ["subjects", "computers"].contains(&table.as_str()) {
                    seen += usize::from(found);
                } else {
                    assert!(!found, "{name} stands in {table}: {text}");
                }
            }
        }
    }
    assert!(seen >= 5, "the names are in the directory");
}

#[test]
fn a_program_that_goes_on_under_another_name_is_found_and_its_helpers_are_not() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    product(&engine, "sim", 1);
    let now = clock.wall_ms();
    let used = |session, product: &str, program: &str, ago_ms| ReportItem::Finished {
        session,
        product: product.into(),
        program: program.into(),
        version: None,
        subject: SubjectRef {
            authority: "computer:pc9".into(),
            key: "1000".into(),
            name: "ada".into(),
            candidate: 12,
        },
        real_subject: None,
        started_at: Wall(now - ago_ms - 1_000),
        ended_at: Wall(now - ago_ms),
        duration_ms: 1_000,
        unseated_ms: 0,
        lease: None,
        first_reported: None,
    };
    let started = |names: &[&str]| ReportItem::Programs {
        counts: names.iter().map(|name| program(name, 1, 0)).collect(),
    };
    report(&engine, vec![(1, started(&["cad-helper", "simulate"]))]);
    clock.pass(86_400);
    report(
        &engine,
        vec![
            (2, used(1, "cad", "cad12", 0)),
            (3, used(2, "sim", "sim", -86_400_000)),
        ],
    );
    clock.pass(86_400);
    report(
        &engine,
        vec![(4, started(&["cad13", "cad-helper", "sim", "simulate"]))],
    );
    engine.settle().unwrap();
    let changed = |before| engine.history().changed_programs(before).unwrap();
    let found = changed(now + 3_600_000);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&*found[0].program, &*found[0].seen_as, found[0].computers),
        ("cad12", "cad13", 1)
    );
    assert_eq!(found[0].seen_since, now + 2 * 86_400_000);
    // A name that is another product's no more, under the same name.
    let found = changed(now + 10 * 86_400_000);
    assert!(found.iter().any(|it| it.seen_as == "sim"), "{found:?}");
    assert_eq!(changed(now - 1), [], "used since");
    engine.close();
}

#[test]
fn programs_that_ran_longest_come_first_and_then_those_started_most() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let engine = open(folder.path(), &clock);
    let seen = |counts| ReportItem::Programs { counts };
    let once = vec![
        program("ls", 40, 0),
        program("vim", 1, 60),
        program("cat", 50, 0),
    ];
    let again = vec![program("vim", 0, 600), program("blender", 1, 120)];
    report(&engine, vec![(1, seen(once)), (2, seen(again))]);
    engine.settle().unwrap();
    let rows = engine.history().programs(0, 10).unwrap().rows;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let package = row.package.as_deref();
            (&*row.program, row.starts, row.run_seconds, package)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("vim", 1, 660, Some("vim")),
            ("blender", 1, 120, Some("blender")),
            ("cat", 50, 0, None),
            ("ls", 40, 0, None),
        ]
    );
    engine.close();
}

#[test]
fn a_reading_that_fails_says_that_it_is_one_and_not_that_nothing_can_be_written() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    let other = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    other
        .execute_batch("ALTER TABLE denials RENAME TO aside")
        .unwrap();
    let listed = engine.history().denials(&DenialFilter::default(), 0, 10);
    let Err(Failure::Unread(why)) = listed else {
        panic!("{listed:?}");
    };
    assert!(why.contains("denials"), "{why}");
    engine.close();
}

#[test]
fn a_lease_that_was_waited_for_tells_what_else_was_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "solver", 1);
    product(&engine, "pack", 3);
    let first = granted(&engine, "solver", "ada");
    let Reply::Queued(view) = engine.execute(asks_for_two("jon", true)).unwrap().reply else {
        panic!("not queued");
    };
    let checkin = Command::Checkin {
        lease: first.id,
        access: Access::Anyone,
    };
    engine.execute(checkin).unwrap();
    let ticket = view.ticket.id;
    let leases = engine
        .read(move |ledger, _| {
            let of_it = ledger.leases().filter(|lease| lease.ticket == Some(ticket));
            of_it.map(|lease| lease.id).collect::<Vec<_>>()
        })
        .unwrap();
    engine.settle().unwrap();
    let decision = DecisionId {
        incarnation: leases[0].incarnation,
        number: leases[0].number,
    };
    let why = engine.history().decision(decision).unwrap().unwrap();
    assert_eq!(why.also, [("pack".to_owned(), 2)]);
    engine.close();
}

#[test]
fn use_in_a_time_is_no_longer_than_that_time() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let now = clock.wall_ms();
    let used = ReportItem::Finished {
        session: 1,
        product: "cad".into(),
        program: "cad".into(),
        version: None,
        subject: SubjectRef {
            authority: "computer:pc1".into(),
            key: "1000".into(),
            name: "ada".into(),
            candidate: 12,
        },
        real_subject: None,
        started_at: Wall(now - 30_000),
        ended_at: Wall(now - 10_000),
        // The computer slept for half of it.
        duration_ms: 10_000,
        unseated_ms: 0,
        lease: None,
        first_reported: None,
    };
    report(&engine, vec![(1, used)]);
    engine.settle().unwrap();
    let total = |since: i64, until: i64| {
        let filter = UsageFilter {
            since: now + since,
            until: now + until,
            ..UsageFilter::default()
        };
        let rows = engine.history().usage(&filter, now, (0, 10)).unwrap().rows;
        rows.iter().map(|row| row.total_ms).sum::<u64>()
    };
    assert_eq!(total(-60_000, 0), 10_000);
    assert_eq!(total(-20_000, -17_000), 3_000);
    assert_eq!(total(-60_000, -25_000), 5_000);
    assert_eq!(total(-5_000, 0), 0);
    engine.close();
}
