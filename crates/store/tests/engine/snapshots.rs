//! Snapshots that are kept beside the data.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use usher_core::ledger::Ledger;
use usher_store::*;

use crate::support::*;

fn take(data: &Path, reason: SnapshotReason, keep: u32) -> Snapshot {
    match Snapshots::of(data).take(reason, keep).unwrap() {
        Taken::Kept(snapshot) => snapshot,
        Taken::Skipped(why) => panic!("{why}"),
    }
}

fn names(data: &Path) -> Vec<String> {
    let kept = Snapshots::of(data).list().unwrap();
    kept.into_iter().map(|kept| kept.name).collect()
}

fn leases_after_restore(snapshot: &Snapshot) -> usize {
    let data = tempfile::tempdir().unwrap();
    restore(data.path(), &snapshot.path, RestoreOptions::default()).unwrap();
    let engine = open(data.path(), &TestClock::new());
    let leases = engine.read(|ledger: &Ledger, _| ledger.lease_count());
    engine.close();
    leases.unwrap()
}

#[test]
fn a_snapshot_is_taken_of_a_data_directory_that_is_served_and_of_one_at_rest() {
    let data = tempfile::tempdir().unwrap();
    let engine = open(data.path(), &TestClock::new());
    product(&engine, "cad", 2);
    granted(&engine, "cad", "ada");
    let served = take(data.path(), SnapshotReason::Pack, 3);
    granted(&engine, "cad", "bob");
    engine.close();
    let at_rest = take(data.path(), SnapshotReason::Upgrade, 3);
    assert_eq!(leases_after_restore(&served), 1);
    assert_eq!(leases_after_restore(&at_rest), 2);
    assert_eq!(
        (&*served.reason, &*at_rest.reason),
        ("before-pack", "before-upgrade")
    );
    assert_eq!(names(data.path()), [at_rest.name, served.name]);
}

#[test]
fn the_oldest_beyond_those_to_keep_go_and_never_the_newest() {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), &TestClock::new()).close();
    let folder = data.path().join("snapshots");
    let taken: Vec<_> = (0..4)
        .map(|_| take(data.path(), SnapshotReason::Pack, 3).name)
        .collect();
    assert_eq!(names(data.path()), [&*taken[3], &taken[2], &taken[1]]);
    // The clock was set back since these.
    let future = [
        "usher-2999-01-01T000000Z-before-pack.db",
        "usher-2999-01-02T000000Z-other.db",
    ];
    for name in future {
        std::fs::write(folder.join(name), "").unwrap();
    }
    // What is no snapshot is none of its business.
    std::fs::write(folder.join("usher-notes.db"), "").unwrap();
    let newest = take(data.path(), SnapshotReason::Upgrade, 2);
    assert_eq!(names(data.path()), [future[1], &newest.name]);
    let only = take(data.path(), SnapshotReason::Upgrade, 1);
    assert_eq!(names(data.path()), [&*only.name]);
    assert!(folder.join("usher-notes.db").exists());
    let none = Snapshots::of(data.path())
        .take(SnapshotReason::Pack, 0)
        .unwrap();
    assert!(matches!(none, Taken::Skipped(_)), "{none:?}");
    assert_eq!(names(data.path()), [only.name]);
}

#[test]
fn a_snapshot_is_its_owners_alone_and_what_was_left_half_written_goes() {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), &TestClock::new()).close();
    if usher_platform::account::is_administrator() {
        std::os::unix::fs::chown(data.path(), Some(65_534), Some(65_534)).unwrap();
    }
    let owner = std::fs::metadata(data.path()).unwrap().uid();
    let folder = data.path().join("snapshots");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("partial"), "half a snapshot").unwrap();
    let taken = take(data.path(), SnapshotReason::Pack, 3);
    let found = std::fs::metadata(&taken.path).unwrap();
    assert_eq!(
        (found.permissions().mode() & 0o777, found.uid()),
        (0o600, owner)
    );
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, 1, "the snapshot, and nothing beside it");
}

#[test]
fn one_that_is_being_taken_is_waited_for_by_nobody() {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), &TestClock::new()).close();
    take(data.path(), SnapshotReason::Pack, 3);
    let taken = usher_platform::lock::take_folder(&data.path().join("snapshots")).unwrap();
    assert!(taken.is_some());
    let second = Snapshots::of(data.path())
        .take(SnapshotReason::Pack, 3)
        .unwrap();
    assert!(matches!(second, Taken::Skipped(_)), "{second:?}");
}

#[test]
fn where_there_is_no_data_file_none_is_made_and_nothing_is_left() {
    let data = tempfile::tempdir().unwrap();
    let missing = Snapshots::of(data.path()).take(SnapshotReason::Upgrade, 3);
    assert!(missing.unwrap_err().to_string().contains("cache.db"));
    std::fs::write(data.path().join("cache.db"), "no data file at all").unwrap();
    assert!(
        Snapshots::of(data.path())
            .take(SnapshotReason::Upgrade, 3)
            .is_err()
    );
    let left = std::fs::read_dir(data.path().join("snapshots")).unwrap();
    assert_eq!(left.count(), 0);
    std::fs::remove_dir(data.path().join("snapshots")).unwrap();
    std::os::unix::fs::symlink("/tmp", data.path().join("snapshots")).unwrap();
    let refused = Snapshots::of(data.path()).take(SnapshotReason::Upgrade, 3);
    assert!(refused.unwrap_err().to_string().contains("no folder"));
}
