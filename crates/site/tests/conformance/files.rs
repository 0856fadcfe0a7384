//! The file of the embedded engine.

use usher_site::{Site, SiteError, SqliteSite};

use crate::common::*;

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
