//! A pack: what goes, what stays, and that it may be cut off at any moment.

use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

const OLD: u64 = 1_500;
/// As many as there are people: none of them is forgotten.
const RECENT: u64 = 50;
const DAY_SECONDS: u64 = 86_400;
const DATA: &str = "USHER_PACK_DATA";

fn options() -> PackOptions {
    PackOptions {
        keep_days: 400,
        version: "1.2.3".to_owned(),
    }
}

fn leases(engine: &Engine, count: u64) {
    for user in 0..count {
        let lease = granted(engine, "cad", &format!("user{}", user % 50));
        let access = Access::Anyone;
        let lease = lease.id;
        engine.execute(Command::Checkin { lease, access }).unwrap();
    }
}

/// Old leases, and recent ones 401 days later.
fn aged(data: &Path) -> Arc<TestClock> {
    let clock = TestClock::new();
    let engine = open(data, &clock);
    product(&engine, "cad", 5);
    leases(&engine, OLD);
    clock.pass(401 * DAY_SECONDS);
    leases(&engine, RECENT);
    engine.settle().unwrap();
    engine.close();
    clock
}

fn count(data: &Path, query: &str) -> u64 {
    let connection = Connection::open(data.join("cache.db")).unwrap();
    let count: i64 = connection.query_row(query, [], |row| row.get(0)).unwrap();
    count.unsigned_abs()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_pack_purges_what_is_past_its_retention_and_the_file_shrinks() {
    let data = tempfile::tempdir().unwrap();
    let clock = aged(data.path());
    let engine = open(data.path(), &clock);
    let before = ledger(&engine);
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!(report.result, PackResult::Done);
    assert_eq!(report.purged_rows, OLD);
    assert_eq!(report.skipped, []);
    assert!(report.bytes_after < report.bytes_before, "{report:?}");
    assert!(ledger(&engine) == before);
    assert_eq!(engine.pack().last().unwrap(), Some(report.clone()));
    let version = engine.pack().packed_by_version().unwrap();
    assert_eq!(version.as_deref(), Some("1.2.3"));
    assert!(!engine.pack().is_unfinished().unwrap());
    engine.close();
    let file = std::fs::metadata(data.path().join("cache.db")).unwrap();
    assert_eq!(file.len(), report.bytes_after);
    assert_eq!(count(data.path(), "SELECT count(*) FROM leases"), RECENT);
}

#[test]
fn a_pack_forgets_people_and_computers_that_nothing_refers_to_any_more() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "holder");
    for user in 0..600 {
        let answer = engine.execute(asks("cad", &format!("passer-by {user}"), false));
        assert!(matches!(answer.unwrap().reply, Reply::Denied { .. }));
    }
    clock.pass(401 * DAY_SECONDS);
    let lease = granted(&engine, "cad", "holder").id;
    assert_ne!(lease, held.id, "the first has expired");
    engine.execute(asks("cad", "newcomer", false)).unwrap();
    engine.settle().unwrap();
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!(report.result, PackResult::Done);
    let names = |ledger: &Ledger| {
        let known = |name: &str| ledger.subjects().find("usher", name).is_some();
        (
            known("passer-by 7"),
            known("newcomer"),
            known("holder"),
            ledger.subjects().len(),
        )
    };
    let seen = engine.read(move |ledger, _| names(ledger)).unwrap();
    assert_eq!(seen, (false, true, true, 2));
    let before = ledger(&engine);
    engine.close();
    let engine = open(data.path(), &clock);
    assert!(ledger(&engine) == before, "a restart finds the same");
    engine.close();
    assert_eq!(count(data.path(), "SELECT count(*) FROM subjects"), 2);
}

#[test]
fn a_file_that_cannot_shrink_is_packed_otherwise_and_that_is_told() {
    let data = tempfile::tempdir().unwrap();
    let file = Connection::open(data.path().join("cache.db")).unwrap();
    file.execute_batch("PRAGMA auto_vacuum = NONE; CREATE TABLE earlier (a)")
        .unwrap();
    drop(file);
    let clock = aged(data.path());
    let engine = open(data.path(), &clock);
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!(report.result, PackResult::Done);
    assert_eq!(report.purged_rows, OLD);
    let skipped: Vec<&str> = report.skipped.iter().map(|s| s.what.as_str()).collect();
    assert_eq!(skipped, ["compact"]);
    engine.close();
}

#[test]
fn one_pack_runs_at_a_time_and_can_be_stopped() {
    let data = tempfile::tempdir().unwrap();
    let clock = aged(data.path());
    let engine = open(data.path(), &clock);
    let running = engine.clone();
    let packing = std::thread::spawn(move || running.pack().run(&options()));
    until("it runs", || engine.pack().progress().is_some());
    let second = engine.pack().run(&options());
    assert!(matches!(second, Err(PackError::Running)), "{second:?}");
    until("it moves", || {
        engine
            .pack()
            .progress()
            .is_none_or(|progress| progress > 0.0)
    });
    assert!(engine.pack().stop());
    let report = packing.join().unwrap().unwrap();
    assert_eq!(report.result, PackResult::Stopped);
    assert_eq!(engine.pack().progress(), None);
    assert_eq!(engine.pack().packed_by_version().unwrap(), None);
    let again = engine.pack().run(&options()).unwrap();
    assert_eq!(again.purged_rows + report.purged_rows, OLD);
    engine.close();
}

#[test]
fn a_pack_that_a_stop_of_the_engine_cuts_off_goes_on_at_the_next() {
    let data = tempfile::tempdir().unwrap();
    let clock = aged(data.path());
    let engine = open(data.path(), &clock);
    let running = engine.clone();
    let packing = std::thread::spawn(move || running.pack().run(&options()));
    until("it moves", || {
        engine
            .pack()
            .progress()
            .is_some_and(|progress| progress > 0.0)
    });
    engine.close();
    assert!(packing.join().unwrap().is_err());
    clock.pass(60);
    let engine = open(data.path(), &clock);
    assert!(engine.pack().is_unfinished().unwrap());
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!(
        report.purged_rows, OLD,
        "what went before the cut is counted"
    );
    assert!(report.ended_at - report.started_at >= 60_000);
    engine.close();
}

#[test]
fn a_pack_that_goes_on_still_tells_what_it_skipped_before() {
    let data = tempfile::tempdir().unwrap();
    let clock = aged(data.path());
    let file = Connection::open(data.path().join("cache.db")).unwrap();
    // As a kill in the check leaves it: the second table is next, and one thing was not in order.
    file.execute_batch(
        "INSERT INTO meta VALUES ('pack_under_way', '7 1 5 1500 4096 true');
         INSERT INTO meta VALUES ('pack_under_way_skipped', 'check of answers' || char(9) || 'why' || char(10));",
    )
    .unwrap();
    drop(file);
    let engine = open(data.path(), &clock);
    assert!(engine.pack().is_unfinished().unwrap());
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!((report.started_at, report.purged_rows), (5, 1_500));
    assert_eq!(report.result, PackResult::Failed);
    let told: Vec<&str> = report.skipped.iter().map(|s| s.what.as_str()).collect();
    assert_eq!(told, ["check of answers"]);
    let next = engine.pack().run(&options()).unwrap();
    assert_eq!((next.result, next.skipped), (PackResult::Done, vec![]));
    engine.close();
}

#[test]
fn the_plan_changes_in_one_step_with_the_beginning_of_its_pack() {
    let data = tempfile::tempdir().unwrap();
    let clock = aged(data.path());
    let engine = open(data.path(), &clock);
    let plan = |pack_time| PackPlan {
        schedule: "Sun 01:59:59".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        pack_time: Some(pack_time),
    };
    assert_eq!(engine.pack().plan().unwrap(), None);
    engine.pack().keep_plan(plan(-7)).unwrap();
    assert_eq!(engine.pack().plan().unwrap(), Some(plan(-7)));
    let turn = engine.pack().begin().unwrap();
    turn.begin_by(plan(8)).unwrap();
    // Cut off before its first slice.
    drop(turn);
    engine.close();
    let engine = open(data.path(), &clock);
    assert_eq!(engine.pack().plan().unwrap(), Some(plan(8)));
    assert!(engine.pack().is_unfinished().unwrap());
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!(report.purged_rows, OLD);
    assert!(!engine.pack().is_unfinished().unwrap());
    engine.close();
}

#[test]
fn a_pack_may_be_killed_at_any_moment() {
    let aged_data = tempfile::tempdir().unwrap();
    let clock = aged(aged_data.path());
    let fresh = || {
        let data = tempfile::tempdir().unwrap();
        let (from, to) = (aged_data.path(), data.path());
        std::fs::copy(from.join("cache.db"), to.join("cache.db")).unwrap();
        data
    };
    let recent = "SELECT count(*) FROM leases WHERE granted_at > 1700000000000";
    let mut data = fresh();
    let (mut cut_off, mut finished) = (0, 0);
    for kill in 0..50_u64 {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "pack::a_process_that_packs", "--ignored"])
            .env(DATA, data.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Moments that differ each time, over all of a pack.
        let random = getrandom::u64().unwrap();
        // tidy: sleep, the moment of the kill is what is tried
        std::thread::sleep(Duration::from_millis(random % 250));
        child.kill().unwrap();
        child.wait().unwrap();
        let engine = open(data.path(), &clock);
        let unfinished = engine.pack().is_unfinished().unwrap();
        let report = engine.pack().last().unwrap();
        engine.close();
        assert_eq!(count(data.path(), recent), RECENT, "kill {kill}");
        let users = count(data.path(), "SELECT count(*) FROM subjects");
        assert_eq!(users, 50, "kill {kill}");
        let broken = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
        assert_eq!(count(data.path(), broken), 0, "kill {kill}");
        cut_off += u32::from(unfinished);
        if let Some(report) = report {
            assert_eq!(report.purged_rows, OLD, "kill {kill}");
            finished += 1;
            data = fresh();
        }
    }
    assert!(cut_off > 0, "no kill came in the middle of a pack");
    let engine = open(data.path(), &clock);
    let report = engine.pack().run(&options()).unwrap();
    assert_eq!(
        report.purged_rows, OLD,
        "after {finished} packs that were done"
    );
    engine.close();
}

#[test]
#[ignore = "is run by the test of kills, in a process of its own"]
fn a_process_that_packs() {
    let Ok(data) = std::env::var(DATA) else {
        return;
    };
    let clock = TestClock::new();
    clock.pass(401 * DAY_SECONDS);
    let engine = open(Path::new(&data), &clock);
    engine.pack().run(&options()).unwrap();
    engine.close();
}
