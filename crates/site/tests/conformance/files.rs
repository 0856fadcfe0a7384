//! The file of the embedded engine.

use usher_core::usage::{Bucket, Counted};
use usher_site::{
    Ended, EndedSession, HistoryBatch, HistoryItem, Point, Run, Site, SiteError, SqliteSite,
};

use crate::common::*;
use crate::usage::{asked, found};

/// Sessions with their leases as schema 6 kept them, with the roll-ups of that.
const SCHEMA_6: &str = include_str!("../fixtures/site-schema-6.sql");

#[tokio::test]
async fn it_is_there_again_after_a_restart_and_not_for_two_at_once() {
    let (folder, site) = embedded();
    site.watch(server("alpha")).await.unwrap();
    let second = SqliteSite::open(folder.path()).err().unwrap();
    assert!(matches!(second, SiteError::InUse(_)), "{second}");
    drop(site);
    let again = SqliteSite::open(folder.path()).unwrap();
    let servers = again.resume().await.unwrap().servers;
    assert_eq!(servers, [server("alpha")]);
}

#[test]
fn its_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _site) = embedded();
    let mode = std::fs::metadata(folder.path().join("site.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn a_newer_versions_file_is_named_and_left_as_it_is() {
    let (folder, site) = embedded();
    drop(site);
    let path = folder.path().join("site.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 99;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteSite::open(folder.path()).err().unwrap();
    assert!(
        matches!(refused, SiteError::Newer { found: 99, .. }),
        "{refused}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_with_other_tables_under_the_same_number_is_named_and_left_as_it_is() {
    let (folder, site) = embedded();
    drop(site);
    let path = folder.path().join("site.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("ALTER TABLE servers DROP COLUMN unit;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteSite::open(folder.path()).err().unwrap();
    assert!(matches!(refused, SiteError::OtherBuild { .. }), "{refused}");
    let said = refused.to_string();
    for word in [
        "table servers has no column `unit`",
        "development build",
        "--data",
    ] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// A session of the saved file, as its agent tells of it once more.
fn told_again(computer: &str, session: u64, event: u64) -> HistoryItem {
    HistoryItem {
        at: Point {
            incarnation: 1,
            event,
        },
        product: "product-1".to_owned(),
        person: "P".to_owned(),
        computer: "C".to_owned(),
        what: Ended::Session(EndedSession {
            key: Run {
                computer: computer.to_owned(),
                incarnation: 1,
                session,
            },
            program: "solver-17.exe".to_owned(),
            version: None,
            real_person: None,
            started_ms: 5,
            ended_ms: 10,
            duration_ms: 5,
            unseated_ms: 0,
            lease: None,
        }),
    }
}

#[tokio::test]
async fn a_file_of_schema_6_has_its_sessions_and_their_use_and_takes_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(SCHEMA_6).unwrap();
    drop(connection);
    let site = SqliteSite::open(folder.path()).unwrap();
    let all = [Bucket {
        from_ms: 1_767_571_200_000,
        to_ms: 1_775_347_200_000,
    }];
    // Two sessions of two people, of 43 and of 130 minutes, each with its lease.
    let items = found(&site, asked("product-1", &all, i64::MAX)).await;
    let figures = (items[0].sessions, items[0].users, items[0].peak);
    assert_eq!(figures, (2, 2, 1));
    assert_eq!(
        (items[0].open_seconds * 1_000.0).round(),
        2_600_371.0 + 7_816_563.0
    );
    assert_eq!(items[0].counted, Counted::Here);
    let computer = "c0ffee00000000000000000000000419";
    let known = [435, 436, 1_397];
    let items = known.map(|number| told_again(computer, number, 2_000 + number));
    let mut items = items.to_vec();
    items.push(told_again(computer, 437, 3_500));
    let asked = Some(Point {
        incarnation: 1,
        event: 2_000,
    });
    let batch = HistoryBatch {
        server: "5f1d0c2ab7e94630".to_owned(),
        asked,
        from: asked,
        through: items[3].at,
        cursor: "1.3500".to_owned(),
        head_event: 3_500,
        at_ms: 9_000,
        people: Vec::new(),
        computers: Vec::new(),
        items,
    };
    let done = site.append_history(batch).await.unwrap();
    assert_eq!((done.is_stale, done.added, done.already), (false, 1, 3));
}
