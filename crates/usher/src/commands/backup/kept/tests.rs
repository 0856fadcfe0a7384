//! Which files of a folder count as backups, and which go.

use std::time::SystemTime;

use super::*;

#[test]
fn only_files_that_are_named_as_backups_are_counted_and_removed() {
    assert!(Names::SERVER.is_one("usher-2026-01-31T020000.db"));
    for name in [
        "usher.db",
        "usher-important.db",
        "usher-2026-01-31T0200.db",
        "usher-2026-01-31T020000.db.part",
        "usher-2026-01-31T02000é.db",
    ] {
        assert!(!Names::SERVER.is_one(name), "{name}");
    }
}

#[test]
fn the_new_backup_is_kept_where_another_is_named_as_of_a_later_time() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        path
    };
    let ahead = write("usher-9999-01-01T000000.db");
    let new = write("usher-2026-10-25T023000.db");
    assert_eq!(
        prune((folder.path(), &Names::SERVER), &new, 1).unwrap(),
        [ahead]
    );
    assert!(new.exists());
}

#[test]
fn what_a_backup_that_was_cut_off_left_is_removed_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, hours: u64| {
        let path = folder.path().join(name);
        let file = fs::File::create(&path).unwrap();
        let age = Duration::from_secs(hours * 60 * 60);
        file.set_modified(SystemTime::now() - age).unwrap();
        path
    };
    let new = write("usher-2026-01-31T020000.db", 0);
    let left = write("usher-2026-01-29T020000.db.part", 48);
    let writes = write("usher-2026-01-31T015959.db.part", 1);
    let other = write("usher.db.part", 48);
    assert_eq!(
        prune((folder.path(), &Names::SERVER), &new, 7).unwrap(),
        [left]
    );
    assert!(new.exists() && writes.exists() && other.exists());
}

#[test]
fn backups_of_a_site_and_of_a_server_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        path
    };
    let servers = write("usher-2026-01-01T020000.db");
    let old = write("usher-site-2026-01-01T020000.db");
    let other = write("usher-site-2026-01-01T020000.copy");
    let new = write("usher-site-2026-01-02T020000.db");
    let gone = prune((folder.path(), &Names::of("usher-site-", ".db")), &new, 1).unwrap();
    assert_eq!(gone, [old]);
    let new = write("usher-2026-01-02T020000.db");
    let gone = prune((folder.path(), &Names::SERVER), &new, 1).unwrap();
    assert_eq!(gone, [servers]);
    assert!(other.exists());
}
