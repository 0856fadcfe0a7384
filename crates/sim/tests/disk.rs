//! A made-up disk under SQLite: what was synced is there after a crash, and what was not may not be.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use rusqlite::{Connection, OpenFlags};
use usher_sim::Disk;

/// How a connection makes its commits durable.
const WITH_LOG: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
const WITH_JOURNAL: &str = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;";
const UNSAFE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;";
/// Between a crash's many outcomes.
const SEEDS: u64 = 6;

fn connect(disk: &Disk, pragmas: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::default();
    let connection = Connection::open_with_flags_and_vfs(disk.path("cache.db"), flags, Disk::VFS)?;
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE;")?;
    connection.execute_batch(pragmas)?;
    Ok(connection)
}

/// A disk with a table of two rows, whose sum is nothing.
fn account(pragmas: &str) -> Disk {
    let disk = Disk::new(1);
    let connection = connect(&disk, pragmas).unwrap();
    let table = "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER, filling BLOB);
        INSERT INTO account VALUES ('a', 0, zeroblob(3000)), ('b', 0, zeroblob(3000));";
    connection.execute_batch(table).unwrap();
    connection.close().unwrap();
    disk
}

/// Moves 1 from the one to the other so many times; how often that was answered.
fn transfer(connection: &Connection, times: u32) -> u32 {
    let transfer = "BEGIN IMMEDIATE;
        UPDATE account SET balance = balance - 1 WHERE name = 'a';
        UPDATE account SET balance = balance + 1, filling = randomblob(3000) WHERE name = 'b';
        COMMIT;";
    let is_done = |_: &u32| connection.execute_batch(transfer).is_ok();
    let done = (0..times).take_while(is_done).count();
    u32::try_from(done).unwrap()
}

/// The balances, of a file that is whole.
fn balances(connection: &Connection) -> (i64, i64) {
    let one = |query: &str| connection.query_row(query, [], |row| row.get(0)).unwrap();
    let whole: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    (
        one("SELECT balance FROM account WHERE name = 'a'"),
        one("SELECT balance FROM account WHERE name = 'b'"),
    )
}

#[test]
fn a_power_cut_in_any_operation_leaves_every_transaction_whole_and_every_answered_one_there() {
    for pragmas in [WITH_LOG, WITH_JOURNAL] {
        let made = account(pragmas);
        let operations = {
            let disk = made.fork(0);
            let before = disk.operations();
            let connection = connect(&disk, pragmas).unwrap();
            assert_eq!(transfer(&connection, 4), 4);
            connection.close().unwrap();
            disk.operations() - before
        };
        assert!(operations > 20, "{operations}");
        let mut unanswered = 0;
        for cut in 0..operations {
            let disk = made.fork(cut);
            disk.cut_after(cut);
            let answered = connect(&disk, pragmas).map_or(0, |it| transfer(&it, 4));
            assert!(disk.is_cut());
            for seed in 0..SEEDS {
                let disk = disk.fork(seed);
                disk.crash();
                let (a, b) = balances(&connect(&disk, pragmas).unwrap());
                assert_eq!(a, -b, "half a transaction, cut in operation {cut}");
                let answered = i64::from(answered);
                assert!(
                    b == answered || b == answered + 1,
                    "{b} of {answered}, cut in {cut}"
                );
                unanswered += u32::from(b > answered);
            }
        }
        assert!(unanswered > 0, "what was not synced never arrives");
    }
}

#[test]
fn what_was_not_synced_is_lost_in_some_crashes_and_there_in_others() {
    let made = account(UNSAFE);
    let outcomes: Vec<i64> = (0..60)
        .map(|seed| {
            let disk = made.fork(seed);
            let connection = connect(&disk, UNSAFE).unwrap();
            assert_eq!(transfer(&connection, 5), 5);
            assert!(disk.unsynced() > 0);
            disk.cut();
            drop(connection);
            disk.crash();
            connect(&disk, WITH_LOG)
                .ok()
                .and_then(|it| {
                    let balance = "SELECT balance FROM account WHERE name = 'b'";
                    it.query_row(balance, [], |row| row.get(0)).ok()
                })
                // The file is not one any more: nothing of it was ever synced.
                .unwrap_or(-1)
        })
        .collect();
    assert!(outcomes.contains(&5), "{outcomes:?}");
    assert!(outcomes.iter().any(|balance| *balance < 5), "{outcomes:?}");
}

#[test]
fn a_disk_that_lies_about_syncs_loses_what_was_answered() {
    let made = account(WITH_LOG);
    let is_lost = |seed| {
        let disk = made.fork(seed);
        disk.lie_about_syncs();
        let connection = connect(&disk, WITH_LOG).unwrap();
        assert_eq!(transfer(&connection, 3), 3);
        disk.cut();
        drop(connection);
        disk.crash();
        let (_, b) = balances(&connect(&disk, WITH_LOG).unwrap());
        b < 3
    };
    assert!((0..20).any(is_lost));
}

#[test]
fn the_same_seed_does_the_same_to_a_disk_and_another_does_not() {
    let made = account(WITH_LOG);
    let play = |cut: u64, seed: u64| {
        let disk = made.fork(seed);
        disk.cut_after(cut);
        let answered = connect(&disk, WITH_LOG).map_or(0, |it| transfer(&it, 4));
        disk.crash();
        let (_, b) = balances(&connect(&disk, WITH_LOG).unwrap());
        (answered, b, disk.trace())
    };
    let mut differing = 0;
    for cut in 0..20 {
        let outcomes: Vec<_> = (0..8).map(|seed| play(cut, seed)).collect();
        let again: Vec<_> = (0..8).map(|seed| play(cut, seed)).collect();
        assert_eq!(outcomes, again);
        differing += u32::from(outcomes.iter().any(|outcome| *outcome != outcomes[0]));
    }
    assert!(differing > 0, "chance decides nothing");
}

#[test]
fn a_file_is_opened_by_one_at_a_time_and_not_after_its_disk_is_gone() {
    let disk = account(WITH_LOG);
    let first = connect(&disk, WITH_LOG).unwrap();
    assert_eq!(balances(&first), (0, 0));
    assert!(connect(&disk, WITH_LOG).is_err());
    drop(first);
    let path = disk.path("cache.db");
    assert!(connect(&disk, WITH_LOG).is_ok());
    drop(disk);
    let flags = OpenFlags::default();
    let opened = Connection::open_with_flags_and_vfs(path, flags, Disk::VFS);
    assert!(opened.is_err());
}
