//! The engine on a real file: what is answered is there again, exactly.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use usher_cache::*;
use usher_core::ledger::*;

/// A clock that the test moves.
struct TestClock {
    boot: Mutex<String>,
    boot_ms: AtomicU64,
    wall_ms: AtomicI64,
}

impl Clock for TestClock {
    fn boot_id(&self) -> String {
        self.boot.lock().unwrap().clone()
    }

    fn boot_ms(&self) -> u64 {
        self.boot_ms.load(Ordering::SeqCst)
    }

    fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }
}

impl TestClock {
    fn new() -> Arc<TestClock> {
        Arc::new(TestClock {
            boot: Mutex::new("first".to_owned()),
            boot_ms: AtomicU64::new(50_000),
            wall_ms: AtomicI64::new(1_700_000_000_000),
        })
    }

    fn pass(&self, seconds: u64) {
        self.boot_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
        self.wall_ms
            .fetch_add(seconds as i64 * 1_000, Ordering::SeqCst);
    }

    /// Another boot, `seconds` later by the wall clock.
    fn reboot(&self, seconds: i64) {
        self.boot.lock().unwrap().push('+');
        self.boot_ms.store(3_000, Ordering::SeqCst);
        self.wall_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

fn open_with(data: &Path, clock: Arc<TestClock>) -> Result<(Engine, Opened), CacheError> {
    Engine::open(EngineOptions {
        data: data.into(),
        clock,
        on_durable: Box::new(|_| {}),
    })
}

fn open(data: &Path, clock: &Arc<TestClock>) -> Engine {
    open_with(data, clock.clone()).unwrap().0
}

fn product(engine: &Engine, id: &str, seats: u32) {
    let spec = ProductSpec {
        id: id.into(),
        enabled: true,
        max_ttl_seconds: 86_400,
        queue_limit: 100,
        shared_by_subject: false,
        document: "{}".into(),
    };
    engine
        .execute(Command::PutProduct { spec, new: true })
        .unwrap();
    let terms = EntitlementTerms {
        product: id.into(),
        seats,
        overdraft: 0,
        from: None,
        to: None,
    };
    engine.execute(Command::AddEntitlement(terms)).unwrap();
}

fn asks(product: &str, user: &str, wait: bool) -> Command {
    Command::Checkout(Checkout {
        product: product.into(),
        subject: SubjectRef {
            authority: "usher".into(),
            key: user.into(),
            name: user.into(),
            candidate: user.bytes().map(u64::from).sum::<u64>() << 40,
        },
        computer: ComputerRef {
            key: "lab-computer".into(),
            candidate: 99,
        },
        seats: 1,
        ttl_seconds: 300,
        wait,
        priority: 0,
    })
}

fn granted(engine: &Engine, product: &str, user: &str) -> Lease {
    match engine.execute(asks(product, user, false)).unwrap().reply {
        Reply::Granted(lease) => lease,
        other => panic!("{other:?}"),
    }
}

fn ledger(engine: &Engine) -> Ledger {
    engine.read(|ledger, _| ledger.clone()).unwrap()
}

/// Everything that a ledger can hold, some of it ended.
fn busy(engine: &Engine) {
    product(engine, "cad", 2);
    product(engine, "sim", 1);
    let first = granted(engine, "cad", "ada");
    granted(engine, "cad", "bob");
    let Reply::Queued(view) = engine.execute(asks("cad", "cyd", true)).unwrap().reply else {
        panic!("not queued");
    };
    engine.execute(asks("cad", "dan", true)).unwrap();
    engine.execute(asks("cad", "eve", false)).unwrap();
    engine.execute(asks("cad", "eve", false)).unwrap();
    let renew = Command::Renew {
        lease: first.id,
        access: Access::Anyone,
    };
    engine.execute(renew).unwrap();
    engine
        .execute(Command::Checkin {
            lease: first.id,
            access: Access::Anyone,
        })
        .unwrap();
    let poll = Command::Poll {
        ticket: view.ticket.id,
        access: Access::Anyone,
        keep_seconds: 60,
    };
    engine.execute(poll).unwrap();
    let once = Command::Once {
        key: 77,
        body: 5,
        command: Box::new(asks("sim", "fay", false)),
    };
    engine.execute(once).unwrap();
    let subject = |user: &str| SubjectRef {
        authority: "computer:pc9".into(),
        key: user.into(),
        name: user.into(),
        candidate: user.bytes().map(u64::from).sum::<u64>() << 20,
    };
    let items = vec![
        (
            1,
            ReportItem::Checkout {
                session: 1,
                product: "sim".into(),
                subject: subject("gus"),
                seats: 1,
                ttl_seconds: 300,
            },
        ),
        (
            2,
            ReportItem::Finished {
                session: 2,
                product: "cad".into(),
                program: "cad.bin".into(),
                version: Some("1.2".into()),
                subject: subject("gus"),
                real_subject: Some(subject("root")),
                started_at: Wall(1_699_999_000_000),
                ended_at: Wall(1_699_999_060_000),
                duration_ms: 60_000,
                lease: None,
            },
        ),
        (
            3,
            ReportItem::Programs {
                counts: vec![("vim".into(), 3), ("ls".into(), 40)],
            },
        ),
    ];
    let report = Report {
        computer: ComputerRef {
            key: "pc9".into(),
            candidate: 4_711,
        },
        name: "lab-9".into(),
        document: "{}".into(),
        incarnation: 1,
        items,
    };
    engine.execute(Command::Report(Box::new(report))).unwrap();
    engine
        .execute(Command::RemoveProduct {
            product: "sim".into(),
        })
        .unwrap();
}

#[test]
fn a_restart_gives_the_same_ledger_from_the_tables() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
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
            .sessions(&filter, clock.wall_ms(), 0, 100)
            .unwrap()
            .rows
    };
    let alone = list(&engine);
    assert_eq!(alone.len(), 1);
    assert_eq!(
        (alone[0].user.as_str(), alone[0].duration_ms),
        ("ada", 60_000)
    );
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
        ended_at: Wall(lease.granted_at.0 + 59_000),
        duration_ms: 59_000,
        lease: Some(lease.id),
    };
    let report = Report {
        computer: ComputerRef {
            key: "pc9".into(),
            candidate: 8,
        },
        name: "lab-9".into(),
        document: "".into(),
        incarnation: 1,
        items: vec![(1, finished)],
    };
    engine.execute(Command::Report(Box::new(report))).unwrap();
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
            for name in ["wilhelmina", "lab-computer", "lab-9", "gus"] {
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
    assert!(seen >= 4, "the names are in the directory");
}

#[test]
fn a_second_engine_on_the_same_directory_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    let second = open_with(data.path(), clock.clone());
    assert!(matches!(second, Err(CacheError::InUse(_))));
    engine.close();
}

#[test]
fn a_file_of_a_later_version_is_refused_and_left_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    open(data.path(), &clock).close();
    let path = data.path().join("cache.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let later = "UPDATE meta SET value = 99 WHERE key IN ('schema_version', 'oldest_writer')";
    connection.execute(later, []).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let refused = open_with(data.path(), clock.clone());
    assert!(matches!(refused, Err(CacheError::TooNew { found: 99, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_later_file_that_this_version_may_still_write_is_served() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    open(data.path(), &clock).close();
    let connection = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    connection
        .execute(
            "UPDATE meta SET value = 99 WHERE key = 'schema_version'",
            [],
        )
        .unwrap();
    drop(connection);
    open(data.path(), &clock).close();
}

#[test]
fn a_restart_within_a_boot_changes_no_deadline_and_ends_what_is_over() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 2);
    let lease = granted(&engine, "cad", "ada");
    engine.close();
    clock.pass(299);
    // A wall clock that is set meanwhile changes nothing.
    clock.wall_ms.fetch_add(-86_400_000, Ordering::SeqCst);
    let engine = open(data.path(), &clock);
    let number = lease.id.number;
    let held = ledger(&engine).lease(number).cloned().unwrap();
    assert_eq!(held.deadline, lease.deadline);
    clock.pass(1);
    engine.execute(Command::Tick).unwrap();
    assert!(ledger(&engine).lease(number).is_none());
    engine.close();
}

#[test]
fn across_a_reboot_a_lease_has_between_a_grace_and_what_was_left_of_it() {
    let cases = [(100, 200_000), (-86_400, 300_000), (86_400, 30_000)];
    for (off_seconds, left_ms) in cases {
        let data = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = open(data.path(), &clock);
        product(&engine, "cad", 1);
        let lease = granted(&engine, "cad", "ada");
        engine.close();
        clock.reboot(off_seconds);
        let engine = open(data.path(), &clock);
        let now = engine.read(|_, now| now).unwrap();
        let held = ledger(&engine).lease(lease.id.number).cloned().unwrap();
        assert_eq!(
            held.deadline.since_ms(now.steady),
            left_ms,
            "off for {off_seconds} s"
        );
        engine.close();
    }
}

#[test]
fn a_crash_loop_over_reboots_keeps_no_dead_seat_alive() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let lease = granted(&engine, "cad", "ada");
    engine.close();
    for _ in 0..40 {
        clock.reboot(20);
        open(data.path(), &clock).close();
    }
    let engine = open(data.path(), &clock);
    assert!(ledger(&engine).lease(lease.id.number).is_none());
    engine.close();
}

#[test]
fn a_snapshot_is_taken_while_serving_and_a_restore_is_a_new_life_that_waits() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 2);
    let early = granted(&engine, "cad", "ada");
    let snapshot = data.path().join("snapshot.db");
    engine.backup(&snapshot).unwrap();
    assert!(
        engine.backup(&snapshot).is_err(),
        "a snapshot never overwrites a file"
    );
    let late = granted(&engine, "cad", "bob");
    engine.close();

    let done = restore(data.path(), &snapshot, RestoreOptions::default()).unwrap();
    assert_eq!((done.leases, done.hold_seconds), (1, 86_400));
    assert!(done.kept.unwrap().exists());
    let (engine, _) = Engine::open(EngineOptions {
        data: data.path().into(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new(|_| {}),
    })
    .unwrap();
    let reply = engine.execute(asks("cad", "cyd", false)).unwrap().reply;
    assert!(matches!(reply, Reply::Held { .. }), "{reply:?}");
    engine.close();

    restore(data.path(), &snapshot, RestoreOptions { accept_risk: true }).unwrap();
    let (engine, _) = Engine::open(EngineOptions {
        data: data.path().into(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new(|_| {}),
    })
    .unwrap();
    let again = granted(&engine, "cad", "cyd");
    assert_ne!(again.id.incarnation, early.id.incarnation);
    assert_ne!(again.id, late.id);
    engine.close();
}

#[test]
fn what_is_no_snapshot_is_not_restored_and_the_file_stays() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    engine.close();
    let before = std::fs::read(data.path().join("cache.db")).unwrap();
    let junk = data.path().join("junk");
    std::fs::write(
        &junk,
        b"no database at all, but long enough to be looked at",
    )
    .unwrap();
    assert!(restore(data.path(), &junk, RestoreOptions::default()).is_err());
    let empty = data.path().join("empty.db");
    rusqlite::Connection::open(&empty)
        .unwrap()
        .execute("CREATE TABLE t (a)", [])
        .unwrap();
    assert!(restore(data.path(), &empty, RestoreOptions::default()).is_err());
    assert_eq!(std::fs::read(data.path().join("cache.db")).unwrap(), before);
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
