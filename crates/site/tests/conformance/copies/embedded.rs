//! Of a site in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use usher_site::{CopyError, Site, SiteError, SitePlace, SqliteSite};

use super::{collects_again_what_came_after_the_copy, copied, restored, restored_if};
use crate::common::*;

/// The rows of all tables, as text.
fn rows(file: &Path) -> Vec<(String, Vec<String>)> {
    let connection = Connection::open(file).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = connection.prepare(sql).unwrap();
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let of = |name: &String| {
        let mut all = connection
            .prepare(&format!("SELECT * FROM {name}"))
            .unwrap();
        let columns = all.column_count();
        let found = all.query_map([], |row| {
            let values: Vec<Value> = (0..columns).map(|at| row.get(at).unwrap()).collect();
            Ok(format!("{values:?}"))
        });
        let mut found: Vec<String> = found.unwrap().map(Result::unwrap).collect();
        found.sort();
        found
    };
    names.iter().map(|name| (name.clone(), of(name))).collect()
}

#[tokio::test]
async fn a_copy_of_a_file_comes_back_row_for_row_while_a_manager_goes_on() {
    let (folder, site) = embedded();
    crate::does_what_every_engine_has_to(&site).await;
    collects_again_what_came_after_the_copy(&site, false).await;
    let place = SitePlace::Folder(folder.path().to_owned());
    let copy = folder.path().join("copy");
    let (facts, bytes) = copied(&place, &copy).await.unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().len(), bytes);
    assert_eq!(facts.site_id, Some(site.site_id().await.unwrap()));
    assert!(
        facts.sessions > 0 && facts.schema == facts.known_schema,
        "{facts:?}"
    );
    let kept = rows(&copy);
    site.watch(server("later")).await.unwrap();
    let last = keep(&site, message(9406, 10, None)).await;
    drop(site);

    let done = restored(&place, &copy).await.unwrap();
    let path = folder.path().join("site.db");
    let earlier = done.kept.unwrap();
    assert_eq!(earlier, folder.path().join("site.db.before-restore-1"));
    assert!(done.outlook.present.unwrap().servers > facts.servers);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // As at each start of a manager, messages are closed that nothing keeps open; numbers that were given
    // out since are no other message's.
    for (mut found, mut expected) in rows(&path).into_iter().zip(kept) {
        if found.0 == "messages" {
            found.1.truncate(0);
            expected.1.truncate(0);
        }
        assert!(
            found == expected || found.0 == "sqlite_sequence",
            "{}",
            found.0
        );
    }
    let again = SqliteSite::open(folder.path()).unwrap();
    assert!(keep(&again, message(9406, 20, None)).await > last);
    collects_again_what_came_after_the_copy(&again, true).await;
    // The one of before is whole.
    let connection = Connection::open(earlier).unwrap();
    let sql = "SELECT count(*) FROM servers WHERE name = 'later'";
    let found: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_file_that_a_manager_has_open_is_not_replaced() {
    let (folder, site) = embedded();
    let place = SitePlace::Folder(folder.path().to_owned());
    let copy = folder.path().join("copy");
    copied(&place, &copy).await.unwrap();
    let refused = restored(&place, &copy).await.unwrap_err();
    assert!(
        matches!(refused, CopyError::Site(SiteError::InUse(_))),
        "{refused}"
    );
    // Also if the file is named rather than its folder.
    let named = SitePlace::File(folder.path().join("site.db"));
    let refused = restored(&named, &copy).await.unwrap_err();
    assert!(
        matches!(refused, CopyError::Site(SiteError::InUse(_))),
        "{refused}"
    );
    drop(site);
    let site = SqliteSite::open_file(&folder.path().join("site.db")).unwrap();
    let refused = restored(&place, &copy).await.unwrap_err();
    assert!(
        matches!(refused, CopyError::Site(SiteError::InUse(_))),
        "{refused}"
    );
    drop(site);
    // Without a manager the site is copied likewise.
    let again = folder.path().join("again");
    copied(&place, &again).await.unwrap();
    assert_eq!(rows(&again), rows(&copy));
    restored(&place, &copy).await.unwrap();
}

#[tokio::test]
async fn what_is_no_whole_copy_of_a_site_changes_nothing() {
    let (folder, site) = embedded();
    crate::does_what_every_engine_has_to(&site).await;
    let place = SitePlace::Folder(folder.path().to_owned());
    let copy = folder.path().join("copy");
    copied(&place, &copy).await.unwrap();
    site.watch(server("later")).await.unwrap();
    drop(site);
    let path = folder.path().join("site.db");
    let before = fs::read(&path).unwrap();
    let whole = fs::read(&copy).unwrap();
    let told = async |bytes: &[u8]| {
        fs::write(&copy, bytes).unwrap();
        let refused = restored(&place, &copy).await.unwrap_err().to_string();
        assert_eq!(fs::read(&path).unwrap(), before, "{refused}");
        refused.replace(&copy.display().to_string(), "COPY")
    };
    let cut = told(&whole[..whole.len() / 2]).await;
    assert!(cut.starts_with("COPY is damaged: "), "{cut}");
    let mut other = whole.clone();
    // The number of cells of a page, which any page has.
    let page = whole.len() / 2 / 4_096 * 4_096;
    other[page + 3..page + 5].fill(0xff);
    let damaged = told(&other).await;
    assert!(damaged.starts_with("COPY is damaged: "), "{damaged}");
    // What SQLite itself does not see.
    let text = whole.windows(5).position(|bytes| bytes == b"alpha");
    other.clone_from(&whole);
    other[text.unwrap()] ^= 1;
    let changed = told(&other).await;
    assert!(changed.contains("its checksum is wrong"), "{changed}");
    assert_eq!(
        told(b"no database").await,
        "COPY is no copy of a site: it is neither a SQLite file nor one that `usher backup --site` \
         has written"
    );
    let connection = Connection::open(folder.path().join("others")).unwrap();
    connection
        .execute_batch("CREATE TABLE leases (id)")
        .unwrap();
    drop(connection);
    let servers = told(&fs::read(folder.path().join("others")).unwrap()).await;
    assert!(servers.contains("it is a metering server's"), "{servers}");
    // A newer version's, and a dry run.
    fs::write(&copy, &whole).unwrap();
    let connection = Connection::open(&copy).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    drop(connection);
    let newer = told(&fs::read(&copy).unwrap()).await;
    assert!(
        newer.starts_with("COPY was written by a newer version"),
        "{newer}"
    );
    fs::write(&copy, &whole).unwrap();
    let asked = restored_if(&place, &copy, false).await.unwrap_err();
    assert!(matches!(asked, CopyError::NotAgreed), "{asked}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let left = fs::read_dir(folder.path()).unwrap().flatten();
    let mut left: Vec<_> = left
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["copy", "manager.lock", "others", "site.db"]);
}

#[tokio::test]
async fn a_copy_of_an_earlier_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let connection = Connection::open(&copy).unwrap();
    let fixture = include_str!("../../fixtures/site-schema-6.sql");
    connection.execute_batch(fixture).unwrap();
    drop(connection);
    let file = folder.path().join("elsewhere.db");
    let place = SitePlace::File(file.clone());
    let done = restored(&place, &copy).await.unwrap();
    assert_eq!((done.outlook.copy.schema, done.kept), (6, None));
    assert_eq!(done.outlook.present, None);
    let connection = Connection::open(&file).unwrap();
    let schema: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(schema, done.outlook.copy.known_schema);
    drop(connection);
    SqliteSite::open_file(&file).unwrap();
}

#[tokio::test]
async fn a_site_and_a_folder_that_are_not_there_are_told() {
    let (folder, _site) = embedded();
    let place = SitePlace::Folder(folder.path().join("none"));
    let copy = folder.path().join("copy");
    let absent = copied(&place, &copy).await.unwrap_err();
    assert!(matches!(absent, CopyError::Absent(_)), "{absent}");
    assert!(!copy.exists());
}
