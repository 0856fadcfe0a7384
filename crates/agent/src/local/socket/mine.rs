//! What the asking person may see, as the server knows it: seats that they hold and wait for, what
//! they used, what they were refused and why; and how many hold and wait in all.
//!
//! The agent asks with its own token, which shows what is of its computer, for the one person whom
//! the kernel and the name services say is at the other end. Root sees all that is of its computer.

use std::time::Instant;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, MatchedPath, Query, State as AxumState};
use axum::http::StatusCode;
use serde_json::Value;
use usher_api::Code;
use usher_api::client::escaped;

use super::State;
use super::answers::{Answer, App, Id, Refusal, answer};
use super::grants::is_plain;
use super::peer::Peer;
use crate::base::{clock, lock};

/// The fields that a query for a list may have.
const FILTERS: [&str; 10] = [
    "product",
    "user",
    "computer",
    "since",
    "until",
    "running",
    "owned",
    "time_zone",
    "limit",
    "cursor",
];

type MineQuery = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// `GET /v1/leases`: the seats that who asks holds on this computer.
pub(super) async fn leases(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    asked: MineQuery,
) -> Answer {
    let mut answered = list(&state, peer, "/v1/leases", asked).await?;
    is_kept(&state, &mut answered);
    answer(StatusCode::OK, &answered)
}

/// Marks the leases that are kept for a start to come: the server does not know which of them a `usher
/// run` uses by now.
fn is_kept(state: &State, answered: &mut Value) {
    let agent = lock(&state.agent);
    let kept = agent.waits().kept_seconds(clock::boot_ms());
    let items = answered.get_mut("items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        let left = item["id"].as_str().and_then(|id| kept.get(id));
        if let Some(left) = left.copied() {
            item["kept_seconds"] = left.into();
        }
    }
}

/// A list of the server that has the same path here, cut to who asks: the seats that they wait for, with
/// the place among all who wait (`/v1/queue`); what they were refused (`/v1/denials`), and waited for in
/// vain (`/v1/waits`); what they used on this computer (`/v1/sessions`), also summed by product, person,
/// who is one, and day (`/v1/usage`, `/v1/usage/users`, `/v1/usage/days`).
pub(super) async fn listed(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    path: MatchedPath,
    asked: MineQuery,
) -> Answer {
    answer(
        StatusCode::OK,
        &list(&state, peer, path.as_str(), asked).await?,
    )
}

/// `GET /v1/decisions/{id}`: why who asks was refused, or not.
pub(super) async fn decision(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    if !is_plain(&id) {
        return Err(Refusal::new(
            Code::UnknownDecision,
            format!("there is no decision {id:?} of yours: a refusal names its own"),
        ));
    }
    let path = format!("/v1/decisions/{id}");
    answer(StatusCode::OK, &ask(&state, peer, &path, Vec::new()).await?)
}

/// `GET /v1/status`: the server, and of each product how many hold and wait.
pub(super) async fn status(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer {
    may_look(&state, peer)?;
    let status: usher_api::Status = state.heard(state.client.get("/v1/status")).await?;
    answer(StatusCode::OK, &status)
}

async fn list(state: &State, peer: Peer, path: &str, asked: MineQuery) -> Result<Value, Refusal> {
    let Query(asked) =
        asked.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    if let Some((other, _)) = asked
        .iter()
        .find(|(name, _)| !FILTERS.contains(&name.as_str()))
    {
        return Err(Refusal::new(
            Code::InvalidRequest,
            format!("the query: {other:?} is none of {}", FILTERS.join(", ")),
        ));
    }
    ask(state, peer, path, asked).await
}

/// Asks the server for what is of that person.
async fn ask(
    state: &State,
    peer: Peer,
    path: &str,
    mut asked: Vec<(String, String)>,
) -> Result<Value, Refusal> {
    may_look(state, peer)?;
    if !peer.is_root() {
        let counted = peer.who().counted;
        state.shared.accounts.clone().learn_aside(counted).await;
        let subject = lock(&state.agent).here().subject(counted);
        asked.push(("realm".to_owned(), subject.authority.into_owned()));
        asked.push(("account".to_owned(), subject.name.into_owned()));
    }
    let mut path = path.to_owned();
    for (place, (name, value)) in asked.iter().enumerate() {
        let separator = if place == 0 { '?' } else { '&' };
        path.push_str(&format!("{separator}{name}={}", escaped(value)));
    }
    let answered: Value = state.heard(state.client.get(&path)).await?;
    // A server of the version before passes over whom it is asked for.
    let realm = answered.pointer("/only/realm");
    if !peer.is_root() && realm.is_none() {
        return Err(Refusal::new(
            Code::NotFound,
            "the server is of a version before and cannot show what is one person's alone: ask \
             who administers it",
        ));
    }
    Ok(answered)
}

/// Each look is a request that the server answers, so an account has only so many.
fn may_look(state: &State, peer: Peer) -> Result<(), Refusal> {
    match state.looks.may(peer.account, Instant::now()) {
        true => Ok(()),
        false => Err(too_often()),
    }
}

/// The same of looks of which only those count that find nothing: see [`in_vain`].
pub(super) fn may_guess(state: &State, peer: Peer) -> Result<(), Refusal> {
    match state.looks.might(peer.account, Instant::now()) {
        true => Ok(()),
        false => Err(too_often()),
    }
}

/// A look found nothing for that account.
pub(super) fn in_vain(state: &State, peer: Peer) {
    state.looks.may(peer.account, Instant::now());
}

fn too_often() -> Refusal {
    Refusal::new(
        Code::Busy,
        "this account has asked the server too often: try again in a second",
    )
}
