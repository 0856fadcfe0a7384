//! A copy that was put in the place of the data file by hand, after its server was stopped.

use std::path::Path;
use std::sync::Arc;

use usher_core::ledger::*;
use usher_store::*;

use crate::holds::{LONGEST, asks_for, closed, lease};
use crate::support::*;

fn file(data: &Path) -> std::path::PathBuf {
    data.join("cache.db")
}

fn opened(data: &Path, clock: &Arc<TestClock>) -> (Engine, Option<u64>) {
    let (engine, opened) = open_with(data, clock.clone()).unwrap();
    (engine, opened.is_copy)
}

/// For how long nobody is granted anything.
fn held_for(engine: &Engine) -> Option<u64> {
    match engine.execute(asks_for("bob", 30)).unwrap().reply {
        Reply::Held { for_seconds } => Some(for_seconds),
        Reply::Granted { .. } => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_in_the_place_of_the_file_that_its_server_left_grants_no_seat_twice() {
    let clock = TestClock::new();
    let (data, copy) = closed(&clock, &[]);
    let engine = open(data.path(), &clock);
    let granted = lease(&engine, "ada", 600);
    engine.close();
    std::fs::copy(&copy, file(data.path())).unwrap();
    let (engine, is_copy) = opened(data.path(), &clock);
    assert_eq!(is_copy, Some(LONGEST));
    assert_eq!(held_for(&engine), Some(LONGEST));
    clock.pass(LONGEST - 1);
    assert_eq!(held_for(&engine), Some(1));
    clock.pass(1);
    let since = lease(&engine, "bob", 600);
    assert_ne!(
        since.id.incarnation, granted.id.incarnation,
        "no id is made twice"
    );
    engine.close();
    // It is an ordinary file from then on.
    let (engine, is_copy) = opened(data.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (None, None));
    engine.close();
}

#[test]
fn an_earlier_state_of_the_file_with_a_mark_of_its_own_is_a_copy_as_well() {
    let clock = TestClock::new();
    let (data, _) = closed(&clock, &[]);
    let earlier = std::fs::read(file(data.path())).unwrap();
    let engine = open(data.path(), &clock);
    lease(&engine, "ada", 600);
    engine.close();
    std::fs::write(file(data.path()), earlier).unwrap();
    let (engine, is_copy) = opened(data.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (Some(LONGEST), Some(LONGEST)));
    engine.close();
    // Stopped and started again it still waits.
    let (engine, is_copy) = opened(data.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (None, Some(LONGEST)));
    engine.close();
}

#[test]
fn a_server_that_is_stopped_and_started_is_not_held_up_wherever_its_data_were_moved() {
    let clock = TestClock::new();
    let (data, copy) = closed(&clock, &[60]);
    let (engine, is_copy) = opened(data.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (None, None));
    engine.close();
    // Moved with all that lies beside it.
    let moved = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data.path()).unwrap().flatten() {
        std::fs::copy(entry.path(), moved.path().join(entry.file_name())).unwrap();
    }
    let (engine, is_copy) = opened(moved.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (None, None));
    engine.close();
    // After a restore, which says itself what is waited for.
    restore(moved.path(), &copy, RestoreOptions { accept_risk: true }).unwrap();
    let (engine, is_copy) = opened(moved.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (None, None));
    engine.close();
    // A mark that was not written whole says nothing, nor does one of a file that is gone.
    std::fs::write(moved.path().join("cache.db.closed"), "0123").unwrap();
    let (engine, is_copy) = opened(moved.path(), &clock);
    assert_eq!(is_copy, None);
    engine.close();
    std::fs::remove_file(file(moved.path())).unwrap();
    let (engine, is_copy) = opened(moved.path(), &clock);
    assert_eq!(is_copy, None);
    engine.close();
}

#[test]
fn a_start_that_is_cut_off_between_the_two_marks_leaves_no_file_that_looks_like_a_copy() {
    let clock = TestClock::new();
    let (data, _) = closed(&clock, &[]);
    // The one beside the file goes first.
    std::fs::remove_file(data.path().join("cache.db.closed")).unwrap();
    let (engine, is_copy) = opened(data.path(), &clock);
    assert_eq!((is_copy, held_for(&engine)), (None, None));
    engine.close();
}
