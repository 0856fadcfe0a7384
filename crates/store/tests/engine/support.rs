//! A clock that the test moves, an engine, and things to do with it.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use usher_core::ledger::*;
use usher_store::*;

/// A clock that the test moves.
pub(crate) struct TestClock {
    pub(crate) boot: Mutex<String>,
    pub(crate) boot_ms: AtomicU64,
    pub(crate) wall_ms: AtomicI64,
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
    pub(crate) fn new() -> Arc<TestClock> {
        Arc::new(TestClock {
            boot: Mutex::new("first".to_owned()),
            boot_ms: AtomicU64::new(50_000),
            wall_ms: AtomicI64::new(1_700_000_000_000),
        })
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.boot_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
        self.wall_ms
            .fetch_add(seconds as i64 * 1_000, Ordering::SeqCst);
    }

    /// Another boot, `seconds` later by the wall clock.
    pub(crate) fn reboot(&self, seconds: i64) {
        self.boot.lock().unwrap().push('+');
        self.boot_ms.store(3_000, Ordering::SeqCst);
        self.wall_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

pub(crate) fn open_with(
    data: &Path,
    clock: Arc<TestClock>,
) -> Result<(Engine, Opened), StoreError> {
    Engine::open(EngineOptions {
        data: data.into(),
        clock,
        on_durable: Box::new(|_| {}),
    })
}

pub(crate) fn open(data: &Path, clock: &Arc<TestClock>) -> Engine {
    open_with(data, clock.clone()).unwrap().0
}

pub(crate) fn product(engine: &Engine, id: &str, seats: u32) {
    put_product(engine, id, seats, false);
}

/// One that a person holds once, however many sessions there are.
pub(crate) fn shared_product(engine: &Engine, id: &str, seats: u32) {
    put_product(engine, id, seats, true);
}

fn put_product(engine: &Engine, id: &str, seats: u32, shared_by_subject: bool) {
    let spec = ProductSpec {
        id: id.into(),
        enabled: true,
        max_ttl_seconds: 86_400,
        queue_limit: 100,
        shared_by_subject,
        impossible_seconds: 60,
        document: "{}".into(),
    };
    engine
        .execute(Command::PutProduct { spec, new: true })
        .unwrap();
    let terms = EntitlementTerms {
        product: id.into(),
        model: Model::concurrent(seats),
        from: None,
        to: None,
        details: None,
    };
    engine.execute(Command::AddEntitlement(terms)).unwrap();
}

/// Two more seats, with a name and what else is said of them.
pub(crate) fn described(product: &str, name: &str) -> Command {
    Command::AddEntitlement(EntitlementTerms {
        product: product.into(),
        model: Model::Concurrent {
            seats: 2,
            overdraft: 0,
        },
        from: None,
        to: None,
        details: Some(Details {
            name: Some(name.into()),
            document: r#"{"notice_days":90}"#.into(),
        }),
    })
}

pub(crate) fn asks(product: &str, user: &str, wait: bool) -> Command {
    Command::Checkout(Checkout {
        product: product.into(),
        also: Vec::new(),
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
        ttl_seconds: Some(300),
        wait,
        priority: 0,
        program: Some("tool".into()),
    })
}

pub(crate) fn granted(engine: &Engine, product: &str, user: &str) -> Lease {
    match engine.execute(asks(product, user, false)).unwrap().reply {
        Reply::Granted { lease, .. } => lease,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn ledger(engine: &Engine) -> Ledger {
    engine.read(|ledger, _| ledger.clone()).unwrap()
}

/// What the agent of the computer `pc9` tells.
pub(crate) fn report(engine: &Engine, items: Vec<(u64, ReportItem)>) {
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
}

/// A solver and two packs, both or neither.
pub(crate) fn asks_for_two(user: &str, wait: bool) -> Command {
    let Command::Checkout(asked) = asks("solver", user, wait) else {
        unreachable!("it asks");
    };
    let pack = With {
        product: "pack".into(),
        seats: 2,
    };
    Command::Checkout(Checkout {
        also: vec![pack],
        ..asked
    })
}

/// Everything that a ledger can hold, some of it ended.
pub(crate) fn busy(engine: &Engine) {
    product(engine, "cad", 2);
    product(engine, "sim", 1);
    product(engine, "solver", 1);
    product(engine, "pack", 3);
    let first = granted(engine, "cad", "ada");
    granted(engine, "cad", "bob");
    let Reply::Queued(view) = engine.execute(asks("cad", "cyd", true)).unwrap().reply else {
        panic!("not queued");
    };
    engine.execute(asks("cad", "dan", true)).unwrap();
    engine.execute(asks("cad", "eve", false)).unwrap();
    engine.execute(asks("cad", "eve", false)).unwrap();
    for (user, wait) in [("ivy", false), ("jon", true)] {
        engine.execute(asks_for_two(user, wait)).unwrap();
    }
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
                shown: None,
                gate: false,
                claim: None,
                program: None,
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
                unseated_ms: 60_000,
                lease: None,
                first_reported: None,
            },
        ),
        (
            3,
            ReportItem::Programs {
                counts: vec![program("vim", 3, 600), program("ls", 40, 0)],
            },
        ),
    ];
    report(engine, items);
    engine
        .execute(Command::RemoveProduct {
            product: "sim".into(),
        })
        .unwrap();
}

/// What a computer saw of a program of no product.
pub(crate) fn program(name: &str, starts: u64, run_seconds: u64) -> ProgramUse {
    ProgramUse {
        program: name.into(),
        starts,
        run_seconds,
        package: (run_seconds > 0).then(|| name.into()),
        desktop_name: (run_seconds > 0).then(|| name.to_uppercase().into()),
    }
}
