//! Notices for the account that asks, and "tell me when it is free".

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use usher_api::{Code, Notice, Notices};

use super::State;
use super::answers::{Answer, App, Id, Refusal, answer};
use super::peer::Peer;
use crate::base::lock;
use crate::server::attend::Failed;

/// The longest that a poll may wait, in seconds.
const WAIT_LIMIT_SECONDS: u64 = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(default)]
    wait_seconds: u64,
    /// Only what came after this notice.
    #[serde(default)]
    after: Option<String>,
}

/// `GET /v1/notices`: answers at once if there are any, else when one comes.
pub(super) async fn list(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    which: Result<Query<Which>, QueryRejection>,
) -> Answer {
    let Query(which) =
        which.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    let wait = Duration::from_secs(which.wait_seconds.min(WAIT_LIMIT_SECONDS));
    let found = tokio::time::timeout(wait, next(&state, peer, which.after.as_deref()));
    let items = found.await.unwrap_or_default();
    answer(StatusCode::OK, &Notices { items })
}

async fn next(state: &State, peer: Peer, after: Option<&str>) -> Vec<Notice> {
    let mut changes = lock(&state.agent).notices().follow();
    loop {
        changes.mark_unchanged();
        let items = lock(&state.agent).notices().of(peer.account, after);
        if !items.is_empty() || changes.changed().await.is_err() {
            return items;
        }
    }
}

/// `POST /v1/notices/{id}/tell-me`: whose start was refused is told when a seat is kept for them.
pub(super) async fn tell_me(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    let found = {
        let agent = lock(&state.agent);
        let found = agent.notices().find(peer.account, &id);
        found.map(|(who, news)| (who, news.product.clone()))
    };
    let Some((who, product)) = found else {
        return Err(Refusal::new(
            Code::NotFound,
            format!("no notice {id:?} is kept for this account: start the program again"),
        ));
    };
    told(state.attendant.tell_me(who, &product, None, false).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// Whether the place is left when the process that asks has ended.
    #[serde(default)]
    while_running: bool,
}

/// `POST /v1/products/{id}/tell-me`: who asks is told when a seat is kept for them.
pub(super) async fn tell_me_of(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(product): Id,
    how: Result<Query<How>, QueryRejection>,
) -> Answer {
    let Query(how) = how.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    let process = peer.process();
    let asked = state
        .attendant
        .tell_me(peer.who(), &product, process, how.while_running);
    told(asked.await)
}

/// `DELETE /v1/products/{id}/tell-me`: who asks waits no more, and a seat that is kept goes back.
pub(super) async fn leave(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(product): Id,
) -> Answer {
    state
        .attendant
        .leave(peer.who(), &product, peer.process())?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn told(told: Result<usher_api::TellMeAnswer, Failed>) -> Answer {
    match told {
        Ok(told) => answer(StatusCode::OK, &told),
        Err(Failed::Server(error)) => Err(error.into()),
        Err(Failed::Storage(error)) => Err(error.into()),
        Err(failed @ (Failed::TooMany(_) | Failed::Stopping)) => {
            Err(Refusal::new(Code::Busy, failed.to_string()))
        }
    }
}
