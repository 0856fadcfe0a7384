//! Uses as the tables tell them: when each began, for how long it lasted, and on which seat.

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

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
