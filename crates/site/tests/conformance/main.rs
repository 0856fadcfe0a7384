//! What every engine of the site database has to do, run on each.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deliveries;
mod suite;
mod support;

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use usher_site::{CALLS_LIMIT, Change, MessageFilter, Resumed, Site, SiteError, SqliteSite};

use crate::support::{concern, episode, message, records, said, server};

fn embedded() -> (tempfile::TempDir, SqliteSite) {
    let folder = tempfile::tempdir().unwrap();
    let site = SqliteSite::open(folder.path()).unwrap();
    (folder, site)
}

#[tokio::test]
async fn the_embedded_engine_does_what_every_engine_has_to() {
    let (_folder, site) = embedded();
    assert_eq!(site.resume().await.unwrap(), Resumed::default());
    suite::keeps_servers(&site).await;
    suite::keeps_messages_and_finds_them(&site).await;
    suite::counts_a_message_that_is_told_again_and_keeps_none_that_the_rules_do_not(&site).await;
    suite::keeps_an_open_episodes_message_beyond_its_time(&site).await;
    suite::counts_what_repeats_each_time_and_trouble_that_lasts_once(&site).await;
    suite::keeps_concerns_until_they_are_over(&site).await;
    suite::leaves_nothing_open_of_a_server_that_is_removed(&site).await;
    suite::keeps_what_a_manager_sets_and_answers_new_rules_with_what_is_open(&site).await;
    deliveries::keeps_what_waits_until_it_is_delivered_or_given_up(&site).await;
    suite::tells_once_what_is_told_once(&site).await;
}

#[tokio::test]
async fn all_of_a_record_is_kept_or_nothing() {
    let (folder, site) = embedded();
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON episodes \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END;";
    connection.execute_batch(fails).unwrap();
    let changes = || {
        let began = said(message(9406, 100, Some("alpha")));
        vec![
            Change::Message(said(message(9440, 90, None))),
            Change::EpisodeBegan(episode("alpha", 1, None), began),
        ]
    };
    let failed = site.record(changes()).await.unwrap_err();
    assert!(failed.to_string().contains("no room"), "{failed}");
    assert_eq!(records(&site, MessageFilter::default()).await, [0_i64; 0]);
    connection.execute_batch("DROP TRIGGER fails;").unwrap();
    site.record(changes()).await.unwrap();
    assert_eq!(records(&site, MessageFilter::default()).await.len(), 2);
}

/// Polls once.
fn poll(answer: &mut (impl Future + Unpin)) {
    let _ = std::pin::Pin::new(answer).poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test]
async fn a_call_that_is_given_up_is_done_or_not_done() {
    let (_folder, site) = embedded();
    // Nothing is asked by one that nobody waits for.
    drop(site.watch(server("alpha")));
    // Once it has a place it is carried out.
    let mut asked = site.watch(server("beta"));
    poll(&mut asked);
    drop(asked);
    let servers = site.resume().await.unwrap().servers;
    assert_eq!(servers, [server("beta")]);
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_place_and_none_is_lost() {
    let (_folder, site) = embedded();
    let site = Arc::new(site);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..CALLS_LIMIT * 3 {
        let site = site.clone();
        calls.spawn(async move { site.watch(server(&format!("s{number}"))).await });
    }
    let done = calls.join_all().await;
    assert!(done.iter().all(Result::is_ok));
    let servers = site.resume().await.unwrap().servers;
    assert_eq!(servers.len(), CALLS_LIMIT * 3);
}

#[tokio::test]
async fn what_has_a_place_is_done_before_the_file_is_closed() {
    let (folder, site) = embedded();
    let late = site.watch(server("late"));
    // So many as one task may poll without a pause.
    let many = CALLS_LIMIT.min(100);
    let mut calls: Vec<_> = (0..many)
        .map(|number| site.watch(server(&format!("s{number}"))))
        .collect();
    calls.iter_mut().for_each(poll);
    drop(site);
    let closed = late.await.unwrap_err();
    assert!(closed.to_string().contains("closed"), "{closed}");
    let again = SqliteSite::open(folder.path()).unwrap();
    let servers = again.resume().await.unwrap().servers;
    assert_eq!(servers.len(), many);
    for call in calls {
        call.await.unwrap();
    }
}

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

/// An earlier version ended the trouble of a server that was removed, and left its messages open.
#[tokio::test]
async fn messages_of_what_is_over_are_closed_when_the_file_is_opened() {
    let (folder, site) = embedded();
    let about = |id| said(message(id, 9_000, Some("delta")));
    let changes = vec![
        Change::ConcernBegan(concern("delta", 9435, None, 1), about(9435)),
        Change::EpisodeBegan(episode("delta", 1, None), about(9406)),
        Change::EpisodeBegan(episode("local", 1, None), about(9412)),
    ];
    let kept = site.record(changes).await.unwrap();
    drop(site);
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let removal = "DELETE FROM concerns WHERE server = 'delta'; \
                   UPDATE episodes SET ended_ms = 9700 WHERE server = 'delta';";
    connection.execute_batch(removal).unwrap();
    drop(connection);
    let again = SqliteSite::open(folder.path()).unwrap();
    let mut over = Vec::new();
    for record in &kept {
        let row = again.message(record.record_id.unwrap()).await.unwrap();
        over.push(row.unwrap().recovered_ms);
    }
    assert_eq!(over, [Some(9_000), Some(9_700), None]);
    let spells = again.standing(0).await.unwrap().spells;
    let open: Vec<_> = spells.iter().filter(|it| it.to_ms.is_none()).collect();
    assert_eq!(open.len(), 1, "{spells:?}");
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
