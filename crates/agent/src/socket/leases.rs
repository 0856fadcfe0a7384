//! Seats under the account that asks: checkout, renewal, checkin.

use std::borrow::Cow;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use usher_api::{
    CheckoutAnswer, CheckoutRequest, Code, KEPT_SEAT, Lease, ProgramFacts, SubjectKey,
};

use super::State;
use super::answers::{Answer, App, Body, Id, Refusal, answer, compose, parse};
use super::grants::{is_granted, own, remember};
use super::one_use;
use super::peer::Peer;
use crate::lock;

/// Seats for the account that asks, on this computer, whatever the request says of either.
pub(super) async fn checkout(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    how: Result<Query<How>, QueryRejection>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let Query(how) = how.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    let mut request: CheckoutRequest<'_> = parse(&body)?;
    compose(&mut request.product);
    let who = peer.who();
    state.shared.accounts.clone().learn_aside(who.counted).await;
    let one_use = match how.one_use {
        true => one_use::Use::of(&state, peer, &request).await,
        false => None,
    };
    if let Some(one_use) = &one_use
        && let Some(lease) = one_use.shared(&state, peer).await
    {
        let decision_id = lease.id.clone();
        let granted = CheckoutAnswer::Granted { decision_id, lease };
        return answer(StatusCode::CREATED, &granted);
    }
    {
        let agent = lock(&state.agent);
        let subject = agent.subject(who.counted);
        request.user = subject.name;
        request.computer = Cow::Owned(agent.computer.id.clone());
        request.subject = Some(SubjectKey {
            authority: subject.authority,
            id: subject.id,
        });
        request.priority = 0;
        // Whoever has a seat through here uses it.
        let is_use = |program: &ProgramFacts<'_>| program.name.as_deref() != Some(KEPT_SEAT);
        request.program = request.program.filter(is_use);
    }
    let answered: CheckoutAnswer = match key(&headers, peer)? {
        Some(key) => {
            state
                .client
                .post_keyed("/v1/checkouts", &key, &request)
                .await?
        }
        None => state.client.post("/v1/checkouts", &request).await?,
    };
    let status = match &answered {
        CheckoutAnswer::Granted { lease, .. } => {
            is_granted(&state, lease, peer)?;
            StatusCode::CREATED
        }
        CheckoutAnswer::Queued { ticket, .. } => {
            remember(&state, &ticket.id, peer, &request.product)?;
            state.tickets.made(&ticket.id, peer);
            StatusCode::ACCEPTED
        }
    };
    if let (Some(one_use), CheckoutAnswer::Granted { lease, .. }) = (one_use, &answered) {
        one_use.granted(&state, peer, lease);
    }
    answer(status, &answered)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// Whether a lease that the person holds for the same use of the product will do.
    #[serde(default)]
    one_use: bool,
}

/// Keys of different users are different keys.
fn key(headers: &HeaderMap, peer: Peer) -> Result<Option<String>, Refusal> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .ok()
        .filter(|key| key.len() <= 200)
        .ok_or_else(|| {
            Refusal::new(
                Code::InvalidRequest,
                "an Idempotency-Key is at most 200 characters of ASCII",
            )
        })?;
    Ok(Some(format!("{}:{key}", peer.uid)))
}

pub(super) async fn renew(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    let id = own(&state, &id, peer, Code::UnknownLease)?;
    let lease: Lease = state
        .client
        .post_empty(&format!("/v1/leases/{id}/renew"))
        .await?;
    state.keeping.renewed(&lease);
    answer(StatusCode::OK, &lease)
}

pub(super) async fn checkin(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    if gives_back_kept(&state, peer, &id)? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    // 204 and 204 again: the grant stays known.
    let id = own(&state, &id, peer, Code::UnknownLease)?;
    // Nobody is given it meanwhile.
    let _turn = state.uses.turn_of(id).await;
    if one_use::stays(&state, peer, id)? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    state.client.delete(&format!("/v1/leases/{id}")).await?;
    lock(&state.agent)
        .outbox
        .change(|change| change.given_back(id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives back a seat that is kept for a start of who asks; false: it is none.
fn gives_back_kept(state: &State, peer: Peer, lease: &str) -> Result<bool, Refusal> {
    let mut agent = lock(&state.agent);
    let Some(wait) = agent.waits.kept_as(lease, peer.uid).cloned() else {
        return Ok(false);
    };
    // Given back again it is no error either.
    agent
        .outbox
        .change(|change| change.save_grant(lease, peer.uid, &wait.product))?;
    agent.end_wait(wait.number, None, None)?;
    drop(agent);
    state.changed.notify_one();
    Ok(true)
}
