//! A file that a build wrote which was no release is told from one of this version before it is used.

use std::path::Path;

use usher_store::*;

use crate::support::*;
use crate::versions::{SCHEMA_1, data_of, later, leases};

/// Changes a data file that nobody has open, as a build did that was no release.
fn develop(data: &Path, sql: &str) {
    let file = rusqlite::Connection::open(data.join("cache.db")).unwrap();
    file.execute_batch(sql).unwrap();
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

#[test]
fn a_file_with_other_tables_under_the_same_schema_number_is_refused_and_left_as_it_is() {
    for (sql, told) in [
        (
            "ALTER TABLE programs DROP COLUMN desktop_name",
            "table programs has no column `desktop_name`",
        ),
        (
            "ALTER TABLE programs ADD COLUMN weight INTEGER",
            "table programs has column `weight` besides",
        ),
        ("DROP TABLE changes", "there is no table changes"),
        ("DROP INDEX leases_held", "there is no index leases_held"),
        ("DROP VIEW asks", "view asks cannot be read"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        open(data.path(), &clock).close();
        develop(data.path(), sql);
        let path = data.path().join("cache.db");
        let before = std::fs::read(&path).unwrap();
        let refused = open_with(data.path(), clock.clone()).map(drop).unwrap_err();
        assert!(
            matches!(refused, StoreError::OtherBuild { .. }),
            "{refused}"
        );
        let said = refused.to_string();
        for word in [told, "development build", "usher restore", "--data"] {
            assert!(said.contains(word), "{said}");
        }
        assert!(
            std::fs::read(&path).unwrap() == before,
            "{sql}: it was changed"
        );
        // As a backup it is no better, and is named by its own name.
        let elsewhere = tempfile::tempdir().unwrap();
        let refused = restore(elsewhere.path(), &path, RestoreOptions::default()).unwrap_err();
        let said = refused.to_string();
        assert!(
            said.contains(told) && said.starts_with(path.to_str().unwrap()),
            "{said}"
        );
        assert_eq!(
            std::fs::read_dir(elsewhere.path()).unwrap().count(),
            1,
            "the lock"
        );
    }
}

#[test]
fn an_older_file_that_the_steps_do_not_fit_is_refused_and_left_as_it_is() {
    for (sql, told) in [
        ("ALTER TABLE journal ADD COLUMN framed INTEGER", "framed"),
        ("ALTER TABLE marks ADD COLUMN weight INTEGER", "`weight`"),
    ] {
        let data = data_of(SCHEMA_1);
        develop(data.path(), sql);
        let refused = open_with(data.path(), later()).map(drop).unwrap_err();
        assert!(
            matches!(refused, StoreError::OtherBuild { schema: 1, .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains(told), "{refused}");
        assert_eq!(found(data.path()).unwrap().unwrap().schema, 1);
        assert_eq!(leases(data.path()), 5);
    }
}

#[test]
fn a_later_file_may_have_columns_that_this_version_does_not_know() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    open(data.path(), &clock).close();
    develop(
        data.path(),
        "ALTER TABLE programs ADD COLUMN weight INTEGER;
         UPDATE meta SET value = 99 WHERE key = 'schema_version'",
    );
    open(data.path(), &clock).close();
    develop(data.path(), "ALTER TABLE programs DROP COLUMN package");
    let refused = open_with(data.path(), clock).map(drop).unwrap_err();
    assert!(
        matches!(refused, StoreError::OtherBuild { schema: 99, .. }),
        "{refused}"
    );
}
