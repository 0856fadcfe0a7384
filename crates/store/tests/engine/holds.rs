//! How long a restored server grants nothing: as long as a lease that it does not know may be in use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

/// The longest ttl that the product allows, unless it is changed.
pub(crate) const LONGEST: u64 = 86_400;

/// Asks for one seat of `cad`, for so long.
pub(crate) fn asks_for(user: &str, ttl_seconds: u32) -> Command {
    match asks("cad", user, false) {
        Command::Checkout(asked) => Command::Checkout(Checkout {
            ttl_seconds: Some(ttl_seconds),
            ..asked
        }),
        other => other,
    }
}

pub(crate) fn lease(engine: &Engine, user: &str, ttl_seconds: u32) -> Lease {
    match engine.execute(asks_for(user, ttl_seconds)).unwrap().reply {
        Reply::Granted { lease, .. } => lease,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn allow(engine: &Engine, max_ttl_seconds: u32) {
    let put = move |spec: ProductSpec| Command::PutProduct {
        spec: ProductSpec {
            max_ttl_seconds,
            ..spec
        },
        new: false,
    };
    let spec = ledger(engine)
        .product("cad")
        .unwrap()
        .1
        .listing
        .spec
        .clone();
    engine.execute(put(spec)).unwrap();
}

/// A closed data file with a copy of when nobody held a seat, and leases since.
pub(crate) fn closed(clock: &Arc<TestClock>, since: &[u32]) -> (tempfile::TempDir, PathBuf) {
    let data = tempfile::tempdir().unwrap();
    let engine = open(data.path(), clock);
    product(&engine, "cad", 9);
    let copy = data.path().join("copy.db");
    engine.backup(&copy).unwrap();
    for ttl_seconds in since {
        lease(&engine, "ada", *ttl_seconds);
    }
    engine.close();
    (data, copy)
}

fn restored(data: &Path, copy: &Path) -> (u64, WaitsFor) {
    let done = restore(data, copy, RestoreOptions::default()).unwrap();
    (done.outlook.hold_seconds, done.outlook.waits_for)
}

#[test]
fn in_the_place_of_a_file_that_its_server_left_whole_a_restore_waits_for_the_leases_that_it_knows()
{
    let clock = TestClock::new();
    let (data, copy) = closed(&clock, &[60, 900, 300]);
    assert_eq!(restored(data.path(), &copy), (900, WaitsFor::LastLease));
    let (data, copy) = closed(&clock, &[]);
    assert_eq!(restored(data.path(), &copy), (0, WaitsFor::LastLease));
    // A renewal, a lease that was given back, and one whose time is over by now.
    let (data, copy) = closed(&clock, &[]);
    let engine = open(data.path(), &clock);
    let long = lease(&engine, "ada", 3_600);
    let renewed = lease(&engine, "bob", 600);
    lease(&engine, "cyd", 60);
    clock.pass(100);
    let access = Access::Anyone;
    let renew = Command::Renew {
        lease: renewed.id,
        access: access.clone(),
    };
    engine.execute(renew).unwrap();
    engine
        .execute(Command::Checkin {
            lease: long.id,
            access,
        })
        .unwrap();
    engine.close();
    assert_eq!(restored(data.path(), &copy), (600, WaitsFor::LastLease));
}

#[test]
fn a_file_that_may_not_know_all_that_was_granted_is_not_gone_by() {
    let waits = (LONGEST, WaitsFor::LongestTtl);
    let clock = TestClock::new();
    // There is none, or an empty one, or one that cannot be read.
    let (_data, copy) = closed(&clock, &[60]);
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(restored(nothing.path(), &copy), waits);
    for bytes in [
        &b""[..],
        b"no database, but long enough to be looked at as one",
    ] {
        let (data, copy) = closed(&clock, &[60]);
        std::fs::write(data.path().join("cache.db"), bytes).unwrap();
        assert_eq!(restored(data.path(), &copy), waits, "{} bytes", bytes.len());
    }
    // Its server was killed.
    let (data, copy) = closed(&clock, &[60]);
    let engine = open(data.path(), &clock);
    let killed = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), killed.path().join(name)).unwrap();
    }
    engine.close();
    assert_eq!(restored(killed.path(), &copy), waits);
    // The same if its log was removed, too.
    let (data, copy) = closed(&clock, &[60]);
    let engine = open(data.path(), &clock);
    assert!(
        !data.path().join("cache.db.closed").exists(),
        "it is taken away before anything is granted"
    );
    lease(&engine, "bob", 3_600);
    let killed = tempfile::tempdir().unwrap();
    std::fs::copy(data.path().join("cache.db"), killed.path().join("cache.db")).unwrap();
    engine.close();
    assert_eq!(restored(killed.path(), &copy).1, WaitsFor::LongestTtl);
    // All of the directory is a copy, of when its server had left it.
    let (data, copy) = closed(&clock, &[60]);
    let copied = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db.closed"] {
        std::fs::copy(data.path().join(name), copied.path().join(name)).unwrap();
    }
    assert_eq!(restored(copied.path(), &copy), waits);
    // An earlier state of it was put in its place.
    let (data, copy) = closed(&clock, &[60]);
    let file = data.path().join("cache.db");
    let earlier = std::fs::read(&file).unwrap();
    let engine = open(data.path(), &clock);
    lease(&engine, "bob", 3_600);
    engine.close();
    std::fs::write(&file, earlier).unwrap();
    assert_eq!(restored(data.path(), &copy), waits);
    // It is another server's.
    let (_data, copy) = closed(&clock, &[60]);
    let (others, _) = closed(&clock, &[60]);
    assert_eq!(restored(others.path(), &copy), waits);
    // The copy is of a later time than the file: they went on somewhere else.
    let (data, _) = closed(&clock, &[60]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(
        data.path().join("cache.db"),
        elsewhere.path().join("cache.db"),
    )
    .unwrap();
    let engine = open(elsewhere.path(), &clock);
    lease(&engine, "bob", 60);
    let later = elsewhere.path().join("copy.db");
    engine.backup(&later).unwrap();
    lease(&engine, "bob", 3_600);
    engine.close();
    assert_eq!(restored(data.path(), &later), waits);
    // It is of another life than the copy, and of how that one ended nobody knows all: its server
    // was killed.
    let (data, copy) = closed(&clock, &[600]);
    std::fs::remove_file(data.path().join("cache.db.closed")).unwrap();
    restore(data.path(), &copy, RestoreOptions { accept_risk: true }).unwrap();
    open(data.path(), &clock).close();
    assert_eq!(restored(data.path(), &copy), waits);
    // It is of another life, and the copy is of a time after that one had ended here: it went on
    // somewhere else.
    let (data, copy) = closed(&clock, &[600]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(
        data.path().join("cache.db"),
        elsewhere.path().join("cache.db"),
    )
    .unwrap();
    restore(data.path(), &copy, RestoreOptions::default()).unwrap();
    open(data.path(), &clock).close();
    let engine = open(elsewhere.path(), &clock);
    lease(&engine, "bob", 60);
    let later = elsewhere.path().join("copy.db");
    engine.backup(&later).unwrap();
    engine.close();
    assert_eq!(restored(data.path(), &later), waits);
    // It is of another life, and the copy is of a third, which was begun somewhere else.
    let (data, copy) = closed(&clock, &[600]);
    let third = tempfile::tempdir().unwrap();
    restore(third.path(), &copy, RestoreOptions { accept_risk: true }).unwrap();
    let engine = open(third.path(), &clock);
    let of_third = third.path().join("copy.db");
    engine.backup(&of_third).unwrap();
    engine.close();
    restore(data.path(), &copy, RestoreOptions::default()).unwrap();
    open(data.path(), &clock).close();
    assert_eq!(restored(data.path(), &of_third), waits);
}

#[test]
fn a_restore_after_another_waits_for_what_may_be_in_use_and_says_for_what() {
    let clock = TestClock::new();
    let (data, first) = closed(&clock, &[90]);
    let engine = open(data.path(), &clock);
    let second = data.path().join("second.db");
    engine.backup(&second).unwrap();
    engine.close();
    assert_eq!(restored(data.path(), &first), (90, WaitsFor::LastLease));
    // It was the wrong one. The server has run for a moment, with its hold.
    open(data.path(), &clock).close();
    let again = restored(data.path(), &second);
    assert_eq!(again, (90, WaitsFor::EarlierRestore));
    // After the hold, with a lease that was granted since.
    let engine = open(data.path(), &clock);
    clock.pass(100);
    lease(&engine, "bob", 300);
    let third = data.path().join("third.db");
    engine.backup(&third).unwrap();
    engine.close();
    assert_eq!(restored(data.path(), &first), (300, WaitsFor::LastLease));
    // The same if an operator ended that wait, and for a copy of each life in between.
    end_hold(data.path()).unwrap();
    let engine = open(data.path(), &clock);
    lease(&engine, "cyd", 60);
    engine.close();
    for copy in [&third, &second, &first] {
        let (seconds, waits_for) = restored(data.path(), copy);
        assert!(
            (200..=300).contains(&seconds),
            "{seconds} s of 300 are left"
        );
        assert_eq!(waits_for, WaitsFor::EarlierRestore);
        open(data.path(), &clock).close();
    }
    // When all of it is over, for nothing.
    let engine = open(data.path(), &clock);
    clock.pass(400);
    let last = lease(&engine, "dan", 60);
    let access = Access::Anyone;
    engine
        .execute(Command::Checkin {
            lease: last.id,
            access,
        })
        .unwrap();
    engine.close();
    assert_eq!(restored(data.path(), &first), (0, WaitsFor::LastLease));
}

#[test]
fn what_a_restore_will_do_is_told_first_and_without_consent_nothing_is_changed() {
    let clock = TestClock::new();
    let (data, copy) = closed(&clock, &[600]);
    let before = std::fs::read(data.path().join("cache.db")).unwrap();
    let mut told = None;
    let snapshot = std::fs::File::open(&copy).unwrap();
    let options = RestoreOptions::default();
    let refused = restore_open(data.path(), snapshot, &copy, options, |outlook| {
        told = Some(*outlook);
        Err(StoreError::NotAgreed)
    });
    assert!(matches!(refused, Err(StoreError::NotAgreed)), "{refused:?}");
    let expected = Outlook {
        hold_seconds: 600,
        waits_for: WaitsFor::LastLease,
        leases: 0,
    };
    assert_eq!(told, Some(expected));
    assert_eq!(std::fs::read(data.path().join("cache.db")).unwrap(), before);
    for gone in ["cache.db.incoming", "cache.db.before-restore-1"] {
        assert!(!data.path().join(gone).exists(), "{gone}");
    }
    // What it is left as is still gone by.
    assert_eq!(restored(data.path(), &copy), (600, WaitsFor::LastLease));
}

#[test]
fn a_restore_leaves_one_file_of_before_and_the_log_of_a_killed_server_with_it() {
    let clock = TestClock::new();
    let (data, copy) = closed(&clock, &[60]);
    let aside = |data: &Path, suffix: &str| data.join(format!("cache.db.before-restore-1{suffix}"));
    let done = restore(data.path(), &copy, RestoreOptions::default()).unwrap();
    assert_eq!(done.kept, Some(aside(data.path(), "")));
    assert_eq!(done.kept_log, None);
    for suffix in ["-wal", "-shm"] {
        assert!(!aside(data.path(), suffix).exists(), "{suffix}");
    }
    // It can be opened as it is.
    assert_eq!(Inventory::of(&aside(data.path(), "")).unwrap().leases(), 1);

    let (data, copy) = closed(&clock, &[]);
    let engine = open(data.path(), &clock);
    lease(&engine, "ada", 60);
    let killed = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), killed.path().join(name)).unwrap();
    }
    engine.close();
    let done = restore(killed.path(), &copy, RestoreOptions::default()).unwrap();
    assert_eq!(done.kept_log, Some(aside(killed.path(), "-wal")));
    let kept = Inventory::of(&aside(killed.path(), "")).unwrap();
    assert_eq!(kept.leases(), 1, "the log is of the file");
}

#[test]
fn what_a_life_does_not_know_is_waited_for_also_in_the_copies_that_are_made_of_it() {
    for accept_risk in [false, true] {
        let clock = TestClock::new();
        let (data, copy) = closed(&clock, &[600]);
        let options = RestoreOptions { accept_risk };
        restore(data.path(), &copy, options).unwrap();
        if !accept_risk {
            end_hold(data.path()).unwrap();
        }
        let engine = open(data.path(), &clock);
        let copy = data.path().join("second.db");
        engine.backup(&copy).unwrap();
        engine.close();
        let (seconds, waits_for) = restored(data.path(), &copy);
        assert_eq!(waits_for, WaitsFor::EarlierRestore);
        assert!(
            (590..=600).contains(&seconds),
            "{seconds} s of 600 are left"
        );
    }
}

#[test]
fn a_ttl_that_was_allowed_since_the_copy_is_waited_for_where_the_file_tells_of_it() {
    let clock = TestClock::new();
    let (data, _) = closed(&clock, &[]);
    let engine = open(data.path(), &clock);
    allow(&engine, 600);
    let copy = data.path().join("short.db");
    engine.backup(&copy).unwrap();
    allow(&engine, 7_200);
    lease(&engine, "ada", 7_200);
    let killed = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), killed.path().join(name)).unwrap();
    }
    engine.close();
    assert_eq!(
        restored(killed.path(), &copy),
        (7_200, WaitsFor::LongestTtl)
    );
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(restored(nothing.path(), &copy), (600, WaitsFor::LongestTtl));
}

#[test]
fn a_lease_that_keeps_a_longer_ttl_than_its_product_allows_is_waited_for() {
    let clock = TestClock::new();
    let (data, _) = closed(&clock, &[3_600]);
    let engine = open(data.path(), &clock);
    allow(&engine, 60);
    let copy = data.path().join("short.db");
    engine.backup(&copy).unwrap();
    engine.close();
    let nothing = tempfile::tempdir().unwrap();
    let waits = restored(nothing.path(), &copy);
    assert_eq!(waits, (3_600, WaitsFor::LongestTtl));
}

#[test]
fn a_copy_of_a_server_that_waits_itself_waits_as_long() {
    let clock = TestClock::new();
    let (_data, copy) = closed(&clock, &[]);
    let data = tempfile::tempdir().unwrap();
    let waits = restored(data.path(), &copy);
    assert_eq!(waits, (LONGEST, WaitsFor::LongestTtl));
    let engine = open(data.path(), &clock);
    allow(&engine, 60);
    let copy = data.path().join("second.db");
    engine.backup(&copy).unwrap();
    engine.close();
    let nothing = tempfile::tempdir().unwrap();
    let (seconds, _) = restored(nothing.path(), &copy);
    assert!((LONGEST - 10..=LONGEST).contains(&seconds), "{seconds}");
}
