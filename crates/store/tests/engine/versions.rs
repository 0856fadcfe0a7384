//! A file of each released schema becomes one of this version, and stays open to the one before.

use std::path::Path;
use std::sync::atomic::Ordering;

use usher_core::ledger::{Command, Ledger, Reply};
use usher_store::*;

use crate::support::*;

/// A file as version 0.1.0 left it when it was killed: tables, and a journal that goes on past
/// them.
pub(crate) const SCHEMA_1: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/0.1.0-schema-1.db"
);
/// The instant of that file, in Unix milliseconds.
const SCHEMA_1_WALL_MS: i64 = 1_795_706_414_592;

pub(crate) fn data_of(fixture: &str) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    std::fs::copy(fixture, data.path().join("cache.db")).unwrap();
    data
}

/// A minute later, after a boot.
pub(crate) fn later() -> std::sync::Arc<TestClock> {
    let clock = TestClock::new();
    clock
        .wall_ms
        .store(SCHEMA_1_WALL_MS + 60_000, Ordering::SeqCst);
    clock
}

pub(crate) fn leases(data: &Path) -> usize {
    Inventory::of(&data.join("cache.db")).unwrap().leases()
}

#[test]
fn a_file_of_the_first_schema_becomes_one_of_this_and_loses_nothing() {
    let data = data_of(SCHEMA_1);
    let before = Inventory::of(&data.path().join("cache.db")).unwrap();
    assert_eq!(before.leases(), 5);
    let found_before = found(data.path()).unwrap().unwrap();
    assert_eq!(
        (found_before.schema, found_before.served_by.clone()),
        (1, None)
    );
    assert!(found_before.is_older());

    let (engine, opened) = open_with(data.path(), later()).unwrap();
    assert_eq!(opened.replayed, 8, "events that only the journal had");
    let in_use = |id: &'static str| {
        engine
            .read(move |ledger, _| {
                let product = ledger.product(id).unwrap();
                ledger
                    .leases()
                    .filter(|lease| lease.product == product.0)
                    .map(|lease| lease.seats)
                    .sum::<u32>()
            })
            .unwrap()
    };
    assert_eq!((in_use("cad"), in_use("solver")), (3, 3));
    assert_eq!(engine.tokens().list().unwrap().len(), 5);
    engine.settle().unwrap();
    let versions = engine.versions().list().unwrap();
    let named: Vec<&str> = versions.iter().map(|v| v.version.as_str()).collect();
    assert_eq!(named, ["0.1.0", VERSION]);
    assert_eq!(versions[1].packed_at, None);
    engine.close();

    assert_eq!(before.lost_in(&data.path().join("cache.db")).unwrap(), []);
    let after = found(data.path()).unwrap().unwrap();
    assert!(!after.is_older());
    assert_eq!(
        (after.oldest_writer, after.schema),
        (3, 6),
        "no version before schema 3 may write it"
    );
    // As it was before, for whoever wants it back.
    let saved = rusqlite::Connection::open(data.path().join("cache.db.schema-1")).unwrap();
    let schema: u32 = saved
        .query_row(
            "SELECT value FROM meta WHERE key = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(schema, 1);
}

/// A file as version 0.2.0 left it when it was killed: 35 events that only the journal has, none
/// of them with a length or form.
const SCHEMA_2: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/0.2.0-schema-2.db"
);
/// The instant of that file, in Unix milliseconds.
const SCHEMA_2_WALL_MS: i64 = 1_795_982_695_014;

#[test]
fn a_journal_and_answers_without_frames_are_read_and_go_on_in_the_new_form() {
    let data = data_of(SCHEMA_2);
    let clock = TestClock::new();
    clock
        .wall_ms
        .store(SCHEMA_2_WALL_MS + 1_000, Ordering::SeqCst);
    let (engine, opened) = open_with(data.path(), clock).unwrap();
    assert_eq!(opened.replayed, 35, "events that only the journal had");
    let seen = engine
        .read(|ledger, now| {
            let pool = |id| ledger.product(id).map(|(_, pool)| pool);
            let (cad, solver) = (pool("cad").unwrap(), pool("solver").unwrap());
            assert!(pool("gone").is_none(), "it was removed");
            assert_eq!(cad.listing.spec.queue_limit, 7, "as it was last put");
            assert_eq!(cad.listing.spec.impossible_seconds, 60);
            (
                (cad.in_use, cad.queued(), cad.unseated),
                (solver.in_use, solver.seats(now)),
                ledger.next_number(),
            )
        })
        .unwrap();
    // A boot lies between: the two who waited are given the time to ask again.
    assert_eq!(seen.0, (3, 2, 1));
    assert_eq!(seen.1, (3, 8));

    // What was answered under a key is answered again.
    let under_key = |number: u64| {
        let keys: Vec<Vec<u8>> = rusqlite::Connection::open(data.path().join("cache.db"))
            .unwrap()
            .prepare("SELECT key FROM answers ORDER BY number")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        u128::from_be_bytes(keys[number as usize].as_slice().try_into().unwrap())
    };
    engine.settle().unwrap();
    for (place, of) in [(0, "user1"), (1, "user2")] {
        let again = Command::Once {
            key: under_key(place),
            body: 1,
            command: Box::new(asks("cad", of, false)),
        };
        let answer = engine.execute(again).unwrap();
        assert_eq!(answer.reply, Reply::KeyConflict, "the key of another body");
    }
    granted(&engine, "solver", "zoe");
    engine.close();
    let framed: Vec<(i64, i64)> = rusqlite::Connection::open(data.path().join("cache.db"))
        .unwrap()
        .prepare("SELECT framed, count(*) FROM answers GROUP BY framed ORDER BY framed")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(framed, [(0, 12), (1, 7)], "old answers stay as they are");
}

#[test]
fn the_first_scheduled_pack_of_a_version_is_kept_and_no_later_one() {
    let data = data_of(SCHEMA_1);
    let (engine, _) = open_with(data.path(), later()).unwrap();
    engine.versions().packed(7_000).unwrap();
    engine.versions().packed(9_000).unwrap();
    engine.close();
    let (engine, _) = open_with(data.path(), later()).unwrap();
    let versions = engine.versions().list().unwrap();
    assert_eq!(versions.len(), 2, "the same version again is no other one");
    assert_eq!(versions[1].packed_at, Some(7_000));
    engine.close();
}

#[test]
fn a_lease_that_is_gone_is_missed_and_one_that_expired_is_not() {
    let data = data_of(SCHEMA_1);
    let file = data.path().join("cache.db");
    let before = Inventory::of(&file).unwrap();
    // All but the one of a day expire.
    let clock = later();
    let (engine, _) = open_with(data.path(), clock.clone()).unwrap();
    clock.pass(3_600);
    until(|| engine.read(|ledger, _| ledger.lease_count()) == Ok(1));
    engine.close();
    assert_eq!(leases(data.path()), 1);
    assert_eq!(before.lost_in(&file).unwrap(), []);

    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .execute("UPDATE leases SET seats = 2 WHERE ended IS NULL", [])
        .unwrap();
    drop(connection);
    let lost = before.lost_in(&file).unwrap();
    assert_eq!(lost.len(), 1, "a seat more or less is another lease");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute("DELETE FROM leases", []).unwrap();
    drop(connection);
    assert_eq!(before.lost_in(&file).unwrap().len(), 5);
}

#[test]
fn looking_at_a_directory_makes_and_changes_nothing() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(found(empty.path()).unwrap(), None);
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
    let data = data_of(SCHEMA_1);
    let before = std::fs::read(data.path().join("cache.db")).unwrap();
    let _ = found(data.path()).unwrap();
    assert_eq!(std::fs::read(data.path().join("cache.db")).unwrap(), before);
}

#[test]
fn looking_at_what_a_kill_left_takes_no_log_into_the_file() {
    let data = data_of(SCHEMA_1);
    let (engine, _) = open_with(data.path(), later()).unwrap();
    product(&engine, "later", 2);
    granted(&engine, "later", "ada");
    // As the files are at this moment.
    let killed = tempfile::tempdir().unwrap();
    let names = ["cache.db", "cache.db-wal"];
    for name in names {
        std::fs::copy(data.path().join(name), killed.path().join(name)).unwrap();
    }
    engine.close();
    let read = || names.map(|name| std::fs::read(killed.path().join(name)).unwrap());
    let before = read();
    assert!(found(killed.path()).unwrap().is_some());
    assert_eq!(leases(killed.path()), 6, "the log was read");
    assert!(read() == before, "the files were changed");
}

fn until(condition: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < end, "in vain");
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A person as the journal of a version before entered one (an event of postcard's form).
fn entered(id: u8, uid: &str, name: &str) -> Vec<u8> {
    let mut event = vec![0, id];
    for text in ["computer:c-77", uid, name] {
        event.push(u8::try_from(text.len()).unwrap());
        event.extend_from_slice(text.as_bytes());
    }
    event
}

#[test]
fn people_who_were_uids_become_accounts_in_tables_and_journal() {
    let data = data_of(SCHEMA_1);
    let file = data.path().join("cache.db");
    let journal = rusqlite::Connection::open(&file).unwrap();
    // `kim` is new; 1009 is `gus` now, whose account had the uid 1001 once.
    let events = [entered(77, "1003", "kim"), entered(78, "1009", "gus")].concat();
    journal
        .execute(
            "INSERT INTO journal (first, count, steady, wall, events)
             SELECT first + count, 2, steady, wall, ?1 FROM journal ORDER BY first DESC LIMIT 1",
            [events],
        )
        .unwrap();
    let gus_of_before: i64 = journal
        .query_row("SELECT id FROM subjects WHERE key = '1001'", [], |row| {
            row.get(0)
        })
        .unwrap();
    drop(journal);

    for opened in ["from tables and journal", "from tables"] {
        let (engine, _) = open_with(data.path(), later()).unwrap();
        let ids = ["gus", "hal", "kim", "1001", "1002", "1003", "1009"].map(|key| {
            let found = engine.read(move |ledger, _| {
                let subjects = ledger.subjects();
                subjects.find("computer:c-77", key).map(|found| found.id.0)
            });
            found.unwrap()
        });
        let [gus, hal, kim, old_gus, uids @ ..] = ids;
        assert_eq!((gus, kim), (Some(78), Some(77)), "{opened}");
        assert!(hal.is_some(), "{opened}");
        assert_eq!(old_gus, Some(gus_of_before.cast_unsigned()), "{opened}");
        assert_eq!(uids, [None, None, None], "{opened}");
        let people = engine.read(|ledger, _| ledger.subjects().len()).unwrap();
        assert_eq!(people, 11, "{opened}");
        engine.close();
    }
}

#[test]
fn what_a_killed_migration_left_stops_no_later_start() {
    let data = data_of(SCHEMA_1);
    // As a kill while the file was being saved leaves it, and another in an earlier attempt.
    for left in ["cache.db.schema-1", "cache.db.schema-1.partial"] {
        std::fs::write(data.path().join(left), "half of").unwrap();
    }
    let (engine, _) = open_with(data.path(), later()).unwrap();
    engine.close();
    assert_eq!(leases(data.path()), 5);
    let saved = data.path().join("cache.db.schema-1");
    assert_eq!(Inventory::of(&saved).unwrap().leases(), 5);
    assert!(!data.path().join("cache.db.schema-1.partial").exists());
}

#[test]
fn an_old_backup_can_be_restored_again_and_again() {
    let data = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        restore(data.path(), Path::new(SCHEMA_1), RestoreOptions::default()).unwrap();
        assert_eq!(leases(data.path()), 5);
    }
}

/// What later schemas have besides schema 4 is taken away again.
pub(crate) const BACK_TO_SCHEMA_4: &str = "DROP VIEW uses; \
     ALTER TABLE unseated DROP COLUMN program; DROP INDEX tickets_settled; \
     DROP INDEX tickets_unsettled; ALTER TABLE tickets DROP COLUMN settled; \
     ALTER TABLE tickets DROP COLUMN settled_as; ALTER TABLE tickets DROP COLUMN settled_lease; \
     ALTER TABLE tickets DROP COLUMN settled_lease_incarnation; DROP TABLE lives; \
     DROP TABLE history_consumers; DROP TABLE history_acknowledged; \
     UPDATE meta SET value = 4 WHERE key = 'schema_version'";

/// The same of schema 4 besides schema 3.
const BACK_TO_SCHEMA_3: &str = "DROP TABLE entitlement_details; \
     UPDATE meta SET value = 3 WHERE key = 'schema_version'";

#[test]
fn a_file_of_schema_3_has_room_for_names_and_prices_after_it_was_opened() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 2);
    engine.close();
    let file = data.path().join("cache.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(BACK_TO_SCHEMA_4).unwrap();
    connection.execute_batch(BACK_TO_SCHEMA_3).unwrap();
    drop(connection);
    // It is looked at before it is brought to this version's schema.
    assert_eq!(found(data.path()).unwrap().unwrap().schema, 3);
    assert_eq!(Inventory::of(&file).unwrap().leases(), 0);

    let described = described("cad", "cad-2026");
    let engine = open(data.path(), &clock);
    let reply = engine.execute(described.clone()).unwrap().reply;
    let Reply::Entitlement(made) = reply else {
        panic!("{reply:?}")
    };
    engine.close();
    let engine = open(data.path(), &clock);
    let number = made.entitlement.number;
    let details = move |ledger: &Ledger, _| ledger.entitlement(number).map(|view| view.details);
    assert_eq!(engine.read(details).unwrap(), Some(made.details));
    let again = engine.execute(described).unwrap().reply;
    assert_eq!(again, Reply::NameTaken(number));
    engine.close();
    let name: String = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("SELECT name FROM entitlement_details", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name, "cad-2026");
}

#[test]
fn what_was_said_of_an_entitlement_goes_with_it_also_before_the_tables_are_filled() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 2);
    let reply = engine.execute(described("cad", "cad-2026")).unwrap().reply;
    let Reply::Entitlement(made) = reply else {
        panic!("{reply:?}")
    };
    let remove = Command::RemoveEntitlement {
        entitlement: made.entitlement.number,
    };
    engine.execute(remove).unwrap();
    engine.settle().unwrap();
    engine.close();
    let rows: i64 = rusqlite::Connection::open(data.path().join("cache.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM entitlement_details", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(rows, 0);
}
