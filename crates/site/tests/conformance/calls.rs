//! Calls: given up, too many, at the end.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use usher_site::{CALLS_LIMIT, Site, SqliteSite};

use crate::common::*;

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
