//! The store over a made-up disk: whenever the power fails, what was answered is there, and nothing
//! that was not asked for.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use usher_core::ledger::*;
use usher_sim::Disk;
use usher_store::{Clock, Stepped, SteppedOptions, StoreError};

/// Outcomes of a power cut that are looked at.
const SEEDS: u64 = 2;
const START_WALL: i64 = 1_700_000_000_000;

/// A clock that the test moves.
struct TestClock {
    began: Instant,
    ms: AtomicU64,
}

impl TestClock {
    fn at(ms: u64) -> Arc<TestClock> {
        Arc::new(TestClock {
            began: Instant::now(),
            ms: AtomicU64::new(ms),
        })
    }

    fn pass(&self, ms: u64) {
        self.ms.fetch_add(ms, Ordering::Relaxed);
    }

    fn ms(&self) -> u64 {
        self.ms.load(Ordering::Relaxed)
    }

    fn now(&self) -> Now {
        Now {
            steady: Steady(self.ms()),
            wall: Wall(self.wall_ms()),
        }
    }
}

impl Clock for TestClock {
    fn boot_id(&self) -> String {
        "the only boot".to_owned()
    }

    fn boot_ms(&self) -> u64 {
        self.ms()
    }

    fn wall_ms(&self) -> i64 {
        START_WALL + self.ms().cast_signed()
    }

    fn instant(&self) -> Instant {
        self.began + Duration::from_millis(self.ms())
    }
}

/// What everybody was told.
type Told = Arc<Mutex<Ledger>>;

fn open(disk: &Disk, clock: &Arc<TestClock>, told: &Told) -> Result<Stepped, StoreError> {
    let told = told.clone();
    let options = SteppedOptions {
        vfs: Disk::VFS,
        path: disk.path("cache.db"),
        clock: clock.clone(),
        on_durable: Box::new(move |batch| {
            let mut ledger = told.lock().unwrap();
            for (number, event) in (batch.first..).zip(batch.events.iter()) {
                ledger.absorb(batch.at, EventNumber(number), event);
            }
            ledger.seal();
        }),
        identity: [7, 9 << 33],
    };
    Stepped::open(options).map(|(store, _)| store)
}

/// An empty ledger of a new file.
fn told() -> Told {
    Arc::new(Mutex::new(Ledger::new(Incarnation(10))))
}

/// The same at another disk.
fn copy(told: &Told) -> Told {
    Arc::new(Mutex::new(told.lock().unwrap().clone()))
}

/// Fills the tables, as in a pause between two requests.
fn rest(store: &mut Stepped) {
    for _ in 0..10 {
        store.step();
    }
}

/// Whether two ledgers say the same at that instant. What is past is forgotten in passing, by the one
/// sooner than by the other.
fn same(one: &Ledger, other: &Ledger, now: Now) -> bool {
    let [one, other] = [one, other].map(|ledger| {
        let mut ledger = ledger.clone();
        ledger.apply(now, Command::Tick);
        ledger.seal();
        ledger
    });
    one == other
}

/// A few people use two products: seats are granted, refused, renewed, given back and run out.
fn commands() -> Vec<Command> {
    let mut commands = vec![put("cad"), own("cad", 2), put("sim"), own("sim", 1)];
    for person in 0..4 {
        commands.push(checkout("cad", person));
        commands.push(checkout("sim", person));
    }
    let first = LeaseId {
        incarnation: Incarnation(10),
        number: EventNumber(1),
    };
    for number in 5..12 {
        let lease = LeaseId {
            number: EventNumber(number),
            ..first
        };
        let access = Access::Anyone;
        commands.push(Command::Renew { lease, access });
        let access = Access::Anyone;
        commands.push(Command::Checkin { lease, access });
    }
    commands.push(checkout("cad", 9));
    commands
}

/// Plays them; if the power fails during one of them, answers what the ledger would be with it.
fn play(store: &mut Stepped, clock: &TestClock, told: &Told, disk: &Disk) -> Option<Ledger> {
    for (number, command) in commands().into_iter().enumerate() {
        clock.pass(20_000);
        let mut with = told.lock().unwrap().clone();
        with.apply(clock.now(), Command::Tick);
        with.apply(clock.now(), command.clone());
        with.seal();
        let answer = store.execute(command);
        if disk.is_cut() {
            return Some(with);
        }
        let at = answer.unwrap().at;
        assert_eq!(at, clock.now());
        if number % 3 == 0 {
            rest(store);
        }
    }
    None
}

/// What has to be so after a crash, whatever reached the disk.
fn check(
    disk: &Disk,
    clock: &Arc<TestClock>,
    told: &Told,
    with: Option<&Ledger>,
    what: &str,
) -> bool {
    let expected = told.lock().unwrap().clone();
    let mut store =
        open(disk, clock, &copy(told)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let now = clock.now();
    let is_more =
        with.is_some_and(|with| same(store.ledger(), with, now) && !same(with, &expected, now));
    assert!(is_more || same(store.ledger(), &expected, now), "{what}");
    // It serves on.
    store.execute(checkout("cad", 77)).unwrap();
    let after = store.ledger().clone();
    rest(&mut store);
    store.close();
    let store = open(disk, clock, &copy(told)).unwrap();
    assert!(same(store.ledger(), &after, now), "{what}: after one more");
    is_more
}

#[test]
fn a_power_cut_in_any_operation_loses_nothing_that_was_answered_and_adds_nothing() {
    let made = Disk::new(1);
    let (clock, began) = (TestClock::at(0), told());
    open(&made, &clock, &began).unwrap().close();

    let operations = {
        let disk = made.fork(0);
        let (clock, told) = (TestClock::at(0), told());
        let mut store = open(&disk, &clock, &told).unwrap();
        let before = disk.operations();
        assert!(play(&mut store, &clock, &told, &disk).is_none());
        assert!(told.lock().unwrap().lease_count() > 0);
        store.close();
        disk.operations() - before
    };
    assert!(operations > 100, "{operations}");
    let mut unanswered = 0;
    for cut in 0..operations {
        let disk = made.fork(cut);
        let (clock, told) = (TestClock::at(0), told());
        let mut store = open(&disk, &clock, &told).unwrap();
        disk.cut_after(cut);
        let with = play(&mut store, &clock, &told, &disk);
        if with.is_none() {
            // In between, or at the end.
            store.close();
        } else {
            drop(store);
        }
        assert!(disk.is_cut());
        for seed in 0..SEEDS {
            let disk = disk.fork(seed);
            disk.crash();
            let what = format!("cut in operation {cut}, seed {seed}");
            unanswered += u32::from(check(&disk, &clock, &told, with.as_ref(), &what));
        }
    }
    assert!(unanswered > 0, "what was not answered never arrives");
}

#[test]
fn a_power_cut_while_the_file_is_made_or_recovered_loses_nothing() {
    let clock = TestClock::at(0);
    // A disk with commits in the log, and one with nothing.
    let (used, told_of_used) = (Disk::new(2), told());
    let mut store = open(&used, &clock, &told_of_used).unwrap();
    assert!(play(&mut store, &clock, &told_of_used, &used).is_none());
    used.cut();
    drop(store);
    used.crash();
    for (made, told) in [(used, told_of_used), (Disk::new(3), told())] {
        let operations = {
            let disk = made.fork(0);
            let before = disk.operations();
            open(&disk, &clock, &copy(&told)).unwrap().close();
            disk.operations() - before
        };
        assert!(operations > 5, "{operations}");
        for cut in 0..operations {
            let disk = made.fork(cut);
            disk.cut_after(cut);
            if let Ok(store) = open(&disk, &clock, &copy(&told)) {
                store.close();
            }
            assert!(disk.is_cut());
            for seed in 0..SEEDS {
                let disk = disk.fork(seed);
                disk.crash();
                let expected = told.lock().unwrap().clone();
                let store = open(&disk, &clock, &copy(&told));
                let store =
                    store.unwrap_or_else(|error| panic!("cut in {cut}, seed {seed}: {error}"));
                let is_same = same(store.ledger(), &expected, clock.now());
                assert!(is_same, "cut in {cut}, seed {seed}");
            }
        }
    }
}

#[test]
fn after_an_operation_that_fails_what_was_answered_is_so_also_when_the_power_fails_then() {
    let made = Disk::new(4);
    open(&made, &TestClock::at(0), &told()).unwrap().close();
    let mut failures = 0;
    for fault in 0.. {
        let disk = made.fork(fault);
        let (clock, told) = (TestClock::at(0), told());
        let mut store = open(&disk, &clock, &told).unwrap();
        let before = disk.operations();
        disk.fail_after(fault);
        for command in commands() {
            clock.pass(20_000);
            let mut with = told.lock().unwrap().clone();
            with.apply(clock.now(), command.clone());
            with.seal();
            if store.execute(command).is_err() {
                // It is asked for the truth a while later.
                clock.pass(2_000);
                rest(&mut store);
                let (found, now) = (store.ledger().clone(), clock.now());
                let is_done = same(&found, &with, now);
                let is_as_before = same(&found, &told.lock().unwrap(), now);
                assert!(is_done || is_as_before, "operation {fault} failed");
                failures += 1;
                *told.lock().unwrap() = found;
            }
            rest(&mut store);
        }
        if disk.operations() - before <= fault {
            // Nothing failed: there are no more operations.
            break;
        }
        disk.cut();
        drop(store);
        for seed in 0..SEEDS {
            let disk = disk.fork(seed);
            disk.crash();
            let what = format!("operation {fault} failed, then the power, seed {seed}");
            check(&disk, &clock, &told, None, &what);
        }
    }
    assert!(failures > 20, "{failures}");
}

#[test]
fn a_disk_that_lies_about_syncs_is_found_by_what_is_lost() {
    let is_found = |seed| {
        let disk = Disk::new(seed);
        let (clock, told) = (TestClock::at(0), told());
        let mut store = open(&disk, &clock, &told).unwrap();
        disk.lie_about_syncs();
        assert!(play(&mut store, &clock, &told, &disk).is_none());
        disk.cut();
        drop(store);
        disk.crash();
        let expected = told.lock().unwrap().clone();
        open(&disk, &clock, &copy(&told))
            .map_or(true, |store| !same(store.ledger(), &expected, clock.now()))
    };
    let found = (0..20).filter(|seed| is_found(*seed)).count();
    assert!(found > 5, "{found} of 20");
}

#[test]
fn the_same_seed_asks_the_same_of_the_disk() {
    let play = |seed| {
        let disk = Disk::new(seed);
        let (clock, told) = (TestClock::at(0), told());
        let mut store = open(&disk, &clock, &told).unwrap();
        disk.cut_after(150 + seed);
        play(&mut store, &clock, &told, &disk);
        drop(store);
        disk.crash();
        let store = open(&disk, &clock, &copy(&told)).unwrap();
        let number = store.ledger().next_number();
        store.close();
        (number, disk.operations(), disk.trace())
    };
    for seed in 0..10 {
        assert_eq!(play(seed), play(seed), "{seed}");
    }
    assert_ne!(play(0), play(1));
}

fn put(product: &str) -> Command {
    Command::PutProduct {
        spec: ProductSpec {
            id: product.into(),
            enabled: true,
            max_ttl_seconds: 86_400,
            queue_limit: 100,
            shared_by_subject: false,
            impossible_seconds: 60,
            document: "{}".into(),
        },
        new: true,
    }
}

fn own(product: &str, seats: u32) -> Command {
    Command::AddEntitlement(EntitlementTerms {
        product: product.into(),
        model: Model::concurrent(seats),
        from: None,
        to: None,
        details: None,
    })
}

fn checkout(product: &str, person: u64) -> Command {
    let name: Arc<str> = format!("person-{person}").into();
    Command::Checkout(Checkout {
        product: product.into(),
        also: Vec::new(),
        subject: SubjectRef {
            authority: "site".into(),
            key: name.clone(),
            name: name.clone(),
            candidate: person + 1,
        },
        computer: ComputerRef {
            key: name,
            candidate: person + 1,
        },
        seats: 1,
        ttl_seconds: Some(100),
        wait: person % 2 == 1,
        priority: 0,
        program: Some("tool".into()),
    })
}
