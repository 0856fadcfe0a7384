//! A data file that is held, newer, copied or restored.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

#[test]
fn a_second_engine_on_the_same_directory_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    let second = open_with(data.path(), clock.clone());
    assert!(matches!(second, Err(StoreError::InUse(_))));
    engine.close();
}

#[test]
fn a_second_engine_is_refused_also_where_the_lock_file_was_removed() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    std::fs::remove_file(data.path().join("lock")).unwrap();
    let second = open_with(data.path(), clock.clone());
    assert!(matches!(second, Err(StoreError::InUse(_))));
    std::fs::remove_file(data.path().join("lock")).unwrap();
    let snapshot = data.path().join("snapshot.db");
    let restored = restore(data.path(), &snapshot, RestoreOptions::default());
    assert!(matches!(restored, Err(StoreError::InUse(_))));
    engine.close();
}

#[test]
fn nothing_is_granted_into_a_file_that_was_removed_until_it_is_back() {
    for name in ["cache.db", "cache.db-wal"] {
        let data = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = open(data.path(), &clock);
        product(&engine, "cad", 9);
        let (file, aside) = (data.path().join(name), data.path().join("aside"));
        let healthy = |wanted: bool| {
            until(|| (engine.health() == Health::Ok) == wanted);
        };
        std::fs::rename(&file, &aside).unwrap();
        healthy(false);
        let refused = engine.execute(asks("cad", "ada", false));
        let Err(Failure::Storage(why)) = refused else {
            panic!("{name}: {refused:?}");
        };
        assert!(why.contains(file.to_str().unwrap()), "{why}");
        assert_eq!(engine.read(|ledger, _| ledger.lease_count()), Ok(0));
        // Another file at that path is not the one.
        std::fs::copy(&aside, &file).unwrap();
        assert!(engine.execute(asks("cad", "ada", false)).is_err(), "{name}");
        std::fs::rename(&aside, &file).unwrap();
        healthy(true);
        granted(&engine, "cad", "ada");
        engine.close();
    }
}

fn until(condition: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < end, "in vain");
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
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
    assert!(matches!(refused, Err(StoreError::TooNew { found: 99, .. })));
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
    assert_eq!(
        (done.outlook.leases, done.outlook.hold_seconds),
        (1, 300),
        "as long as {late:?}"
    );
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
fn a_hold_ends_by_word_and_what_was_written_since_the_restore_stays() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let snapshot = data.path().join("snapshot.db");
    engine.backup(&snapshot).unwrap();
    assert!(end_hold(data.path()).is_err(), "a server runs with it");
    granted(&engine, "cad", "late");
    engine.close();
    restore(data.path(), &snapshot, RestoreOptions::default()).unwrap();
    let open = || {
        let options = EngineOptions {
            data: data.path().into(),
            clock: Arc::new(SystemClock),
            on_durable: Box::new(|_| {}),
        };
        Engine::open(options).unwrap().0
    };
    let engine = open();
    product(&engine, "since", 1);
    let reply = engine.execute(asks("cad", "cyd", false)).unwrap().reply;
    assert!(matches!(reply, Reply::Held { .. }), "{reply:?}");
    engine.close();

    let done = end_hold(data.path()).unwrap();
    assert_eq!(done.outlook.hold_seconds, 0);
    assert!(done.kept.unwrap().exists());
    let engine = open();
    granted(&engine, "cad", "cyd");
    granted(&engine, "since", "cyd");
    engine.close();
    let again = end_hold(data.path()).unwrap_err().to_string();
    assert!(again.contains("name its FILE"), "{again}");

    let nothing = tempfile::tempdir().unwrap();
    assert!(end_hold(nothing.path()).is_err());
    assert!(!nothing.path().join("cache.db").exists());
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
    let refused = restore(data.path(), &junk, RestoreOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("junk"), "{refused}");
    let empty = data.path().join("empty.db");
    rusqlite::Connection::open(&empty)
        .unwrap()
        .execute("CREATE TABLE t (a)", [])
        .unwrap();
    assert!(restore(data.path(), &empty, RestoreOptions::default()).is_err());
    assert_eq!(std::fs::read(data.path().join("cache.db")).unwrap(), before);
    assert!(!data.path().join("cache.db.incoming").exists());
}

#[test]
fn a_data_directory_of_any_name_is_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join(OsStr::from_bytes(b"caf\xe9 ?#%41\n"));
    std::fs::create_dir(&data).unwrap();
    let clock = TestClock::new();
    let engine = open(&data, &clock);
    product(&engine, "cad", 1);
    granted(&engine, "cad", "ada");
    let backup = data.join("backup.db");
    engine.backup(&backup).unwrap();
    engine.close();
    std::fs::remove_file(data.join("cache.db")).unwrap();
    restore(&data, &backup, RestoreOptions::default()).unwrap();
}

#[test]
fn a_backup_that_was_copied_over_beside_an_old_log_is_told_and_left_whole() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    let (path, log) = (
        data.path().join("cache.db"),
        data.path().join("cache.db-wal"),
    );
    product(&engine, "cad", 1_000);
    granted(&engine, "cad", "ada");
    let backup = data.path().join("backup.db");
    copy(&path, &backup).unwrap();
    for user in 0..400 {
        granted(&engine, "cad", &format!("u{user}"));
    }
    engine.settle().unwrap();
    let old_log = std::fs::read(&log).unwrap();
    engine.close();
    let whole = std::fs::read(&backup).unwrap();
    std::fs::write(&path, &whole).unwrap();
    std::fs::write(&log, &old_log).unwrap();
    let refused = open_with(data.path(), clock.clone()).map(|_| ());
    let why = refused.unwrap_err().to_string();
    for word in ["cache.db-wal", "whole", "usher restore"] {
        assert!(why.contains(word), "{why}");
    }
    assert!(std::fs::read(&path).unwrap() == whole, "it was changed");
    assert!(
        std::fs::read(&log).unwrap() == old_log,
        "its log was changed"
    );
    std::fs::rename(&log, data.path().join("aside")).unwrap();
    let engine = open(data.path(), &clock);
    assert_eq!(engine.read(|ledger, _| ledger.lease_count()), Ok(1));
    engine.close();
}

#[test]
fn a_servers_file_that_was_copied_over_beside_the_log_of_another_is_told() {
    let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = TestClock::new();
    let engine = open(other.path(), &clock);
    product(&engine, "solver", 7);
    granted(&engine, "solver", "eve");
    engine.close();
    let (path, log) = (
        ours.path().join("cache.db"),
        ours.path().join("cache.db-wal"),
    );
    let engine = open(ours.path(), &clock);
    product(&engine, "cad", 1_000);
    for user in 0..400 {
        granted(&engine, "cad", &format!("u{user}"));
    }
    engine.settle().unwrap();
    engine.close();
    let engine = open(ours.path(), &clock);
    granted(&engine, "cad", "ada");
    engine.settle().unwrap();
    let old_log = std::fs::read(&log).unwrap();
    engine.close();
    let whole = std::fs::read(other.path().join("cache.db")).unwrap();
    std::fs::write(&path, &whole).unwrap();
    std::fs::write(&log, &old_log).unwrap();
    let why = open_with(ours.path(), clock.clone())
        .map(|_| ())
        .unwrap_err();
    assert!(why.to_string().contains("usher restore"), "{why}");
    assert!(std::fs::read(&path).unwrap() == whole, "it was changed");
    std::fs::remove_file(&log).unwrap();
    let engine = open(ours.path(), &clock);
    assert_eq!(engine.read(|ledger, _| ledger.lease_count()), Ok(1));
    engine.close();
}
