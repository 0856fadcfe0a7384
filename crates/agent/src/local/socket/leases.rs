//! Seats under the account that asks: checkout, renewal, checkin.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use tokio::sync::OwnedMutexGuard;
use usher_api::client::ClientError;
use usher_api::{
    CheckoutAnswer, CheckoutRequest, Code, KEPT_SEAT, Lease, NAME_LIMIT_BYTES, ProgramFacts,
    Reason, SubjectKey,
};
use usher_core::sessions::{AccountKey, Program};

use super::State;
use super::answers::{Answer, App, Body, Id, Refusal, answer, compose, parse};
use super::grants::{is_granted, own, remember};
use super::one_use;
use super::peer::Peer;
use super::tickets;
use crate::agent::Left;
use crate::base::lock;
use crate::model::notices::Denial;
use crate::model::shares::uses::{Asking, Key};
use crate::server::hearing::SEATED;
use crate::server::leaving::is_settled;

/// How long what is started plainly waits for the answer to a `usher run` of the same use: less than a
/// start is held for.
const PUT_OFF: Duration = Duration::from_secs(1);

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
    let product = request.product.clone();
    let starts = request.program.is_some();
    let answered = take_seat(&state, peer, how, &headers, request).await;
    if let Err(refusal) = &answered
        && starts
    {
        tell_refused(&state, peer, &product, refusal);
    }
    answered
}

async fn take_seat(
    state: &Arc<State>,
    peer: Peer,
    how: How,
    headers: &HeaderMap,
    mut request: CheckoutRequest<'_>,
) -> Answer {
    let who = peer.who();
    state.shared.accounts.clone().learn_aside(who.counted).await;
    let one_use = match how.one_use {
        true => one_use::Use::of(state, peer, &request).await,
        false => None,
    };
    let starts = program_of(&request);
    if let Some(one_use) = &one_use {
        one_use.settle(state).await;
        if let Some(lease) = one_use.shared(state, peer, starts.as_ref()).await? {
            return granted(lease.id.clone(), lease);
        }
        if request.wait
            && let Some(queued) = tickets::place_of(state, peer, one_use, starts.as_ref()).await
        {
            return answer(StatusCode::ACCEPTED, &queued);
        }
    }
    {
        let agent = lock(&state.agent);
        let subject = agent.here().subject(who.counted);
        request.user = subject.name;
        request.computer = Cow::Owned(agent.here().computer.id.clone());
        request.subject = Some(SubjectKey {
            authority: subject.authority,
            id: subject.id,
        });
        request.priority = 0;
        // Whoever has a seat through here uses it.
        let is_use = |program: &ProgramFacts<'_>| program.name.as_deref() != Some(KEPT_SEAT);
        request.program = request.program.filter(is_use);
    }
    let key = key(headers, peer)?;
    let Some(one_use) = one_use else {
        return match post(state, &request, key.as_deref()).await? {
            CheckoutAnswer::Granted { decision_id, lease } => {
                is_granted(state, &lease, peer, false)?;
                granted(decision_id, lease)
            }
            queued @ CheckoutAnswer::Queued { .. } => {
                queue(state, peer, &request.product, None, &queued)
            }
        };
    };
    let asks = Asks::begin(state, who.counted, &request.product);
    let answered = match asks.post(&request, key.as_deref()).await {
        Err(error) if is_for_want_of_seats(&error) => {
            // A program of theirs that was started plainly may have got the last one this instant.
            one_use.settle(state).await;
            return match one_use.shared(state, peer, starts.as_ref()).await? {
                Some(lease) => granted(lease.id.clone(), lease),
                None => Err(error.into()),
            };
        }
        answered => answered?,
    };
    match answered {
        CheckoutAnswer::Granted { decision_id, lease } => {
            is_granted(state, &lease, peer, true)?;
            granted(decision_id, one_use.granted(state, peer, lease).await?)
        }
        queued @ CheckoutAnswer::Queued { .. } => {
            let key = one_use.key().clone();
            let answer = queue(state, peer, &request.product, Some(key), &queued)?;
            if let (CheckoutAnswer::Queued { ticket, .. }, Some(program)) = (queued, starts) {
                state.tickets.will_start(&ticket.id, peer, program);
            }
            Ok(answer)
        }
    }
}

/// What is started with the seat, if anything is; its product's id, if it has no name that can be shown.
fn program_of(request: &CheckoutRequest<'_>) -> Option<Program> {
    let started = request.program.as_ref()?;
    let fits = |name: &&str| {
        (1..=NAME_LIMIT_BYTES).contains(&name.len()) && !name.contains(usher_api::is_unseen)
    };
    let name = started.name.as_deref().filter(fits);
    let version = started.version.as_deref().filter(fits);
    Some(Program {
        name: name.unwrap_or(&request.product).into(),
        version: version.map(Into::into),
    })
}

/// A command was not started: its user can read why later, too, wherever it was said at first.
fn tell_refused(state: &State, peer: Peer, product: &str, refusal: &Refusal) {
    let problem = refusal.problem();
    let (true, Some(reason), Some(decision)) = (
        problem.is(Code::Denied),
        problem.reason,
        &problem.decision_id,
    ) else {
        return;
    };
    let denial = Denial {
        reason,
        detail: problem.detail.clone(),
        decision: decision.clone(),
    };
    lock(&state.agent).run_was_refused(peer.who(), product, &denial);
}

fn granted(decision_id: String, lease: Lease) -> Answer {
    let granted = CheckoutAnswer::Granted { decision_id, lease };
    answer(StatusCode::CREATED, &granted)
}

/// Who asks waits; `of_use`: for a seat of that use.
fn queue(
    state: &State,
    peer: Peer,
    product: &str,
    of_use: Option<Key>,
    queued: &CheckoutAnswer,
) -> Answer {
    if let CheckoutAnswer::Queued {
        ticket,
        decision_id,
    } = queued
    {
        remember(state, &ticket.id, peer, product, None)?;
        state.tickets.made(&ticket.id, decision_id, peer, of_use);
    }
    answer(StatusCode::ACCEPTED, queued)
}

async fn post(
    state: &State,
    request: &CheckoutRequest<'_>,
    key: Option<&str>,
) -> Result<CheckoutAnswer, ClientError> {
    let asked = async {
        match key {
            Some(key) => state.client.post_keyed("/v1/checkouts", key, request).await,
            None => state.client.post("/v1/checkouts", request).await,
        }
    };
    state.hearing.of(SEATED, Duration::ZERO, asked).await
}

/// A seat of a use is asked for: what its person starts plainly meanwhile waits for the answer, but not
/// for long, as with it there may be a seat for both.
struct Asks {
    state: Arc<State>,
    asking: Mutex<Option<Asking>>,
}

impl Asks {
    fn begin(state: &Arc<State>, counted: AccountKey, product: &str) -> Asks {
        Asks {
            asking: Mutex::new(state.uses.asks(counted, product)),
            state: state.clone(),
        }
    }

    async fn post(
        &self,
        request: &CheckoutRequest<'_>,
        key: Option<&str>,
    ) -> Result<CheckoutAnswer, ClientError> {
        let mut post = pin!(post(&self.state, request, key));
        match tokio::time::timeout(PUT_OFF, &mut post).await {
            Ok(answered) => answered,
            Err(_) => {
                self.go_on();
                post.await
            }
        }
    }

    fn go_on(&self) {
        drop(lock(&self.asking).take());
        if let Err(error) = lock(&self.state.agent).ask_for_put_off() {
            tracing::error!(%error, "what was seen is kept in memory until it can be written");
        }
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        self.go_on();
    }
}

fn is_for_want_of_seats(error: &ClientError) -> bool {
    let problem = error.problem();
    problem.is_some_and(|problem| problem.reason == Some(Reason::NoSeat))
}

#[derive(Clone, Copy, Deserialize)]
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
    Ok(Some(format!("{}:{key}", peer.account)))
}

pub(super) async fn renew(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    let id = own(&state, &id, peer, Code::UnknownLease)?;
    // One of a session's is renewed by the exchange.
    let lent = lock(&state.agent).lent(id);
    if let Some(lease) = lent {
        return answer(StatusCode::OK, &lease);
    }
    let path = format!("/v1/leases/{id}/renew");
    let lease: Lease = state.heard(state.client.post_empty(&path)).await?;
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
    let turn = state.uses.turn_of(id).await;
    if one_use::stays(&state, peer, id)? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let left = lock(&state.agent).leaves(id)?;
    match left {
        Left::Used => return Err(in_use(id)),
        Left::GivenBack => {
            state.changed.notify_one();
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Left::ToGiveBack => {}
    }
    // Who gives it back may be gone before a server that is silent has answered.
    lock(&state.agent).leave_behind(id)?;
    match tokio::spawn(give_back(state.clone(), id.to_owned(), turn)).await {
        Ok(given_back) => given_back?,
        Err(_) => return Err(later(id)),
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a lease back that was left behind. What the server does not take now, the exchange gives back.
async fn give_back(
    state: Arc<State>,
    lease: String,
    _turn: OwnedMutexGuard<()>,
) -> Result<(), Refusal> {
    let path = format!("/v1/leases/{lease}");
    let given_back = state.heard(state.client.delete(&path)).await;
    let mut agent = lock(&state.agent);
    agent.is_gone(&lease);
    if given_back.as_ref().is_err_and(|error| !is_settled(error)) {
        state.changed.notify_one();
        return Err(later(&lease));
    }
    agent.given_back(&lease)?;
    Ok(given_back?)
}

fn later(lease: &str) -> Refusal {
    Refusal::new(
        Code::ServerUnreachable,
        format!(
            "no server takes the seat {lease} back now; the agent of this computer gives it back as \
             soon as one does"
        ),
    )
}

fn in_use(lease: &str) -> Refusal {
    Refusal::new(
        Code::UnknownLease,
        format!(
            "a program that runs on this computer has the seat {lease:?}: it goes back when that ends"
        ),
    )
}

/// Gives back a seat that is kept for a start of who asks; false: it is none.
fn gives_back_kept(state: &State, peer: Peer, lease: &str) -> Result<bool, Refusal> {
    let mut agent = lock(&state.agent);
    let Some(wait) = agent.waits().kept_as(lease, peer.account).cloned() else {
        return Ok(false);
    };
    // Given back again it is no error either.
    agent.save_grant(lease, peer.account, &wait.product, None)?;
    agent.end_wait(wait.number, None, None)?;
    drop(agent);
    state.changed.notify_one();
    Ok(true)
}
