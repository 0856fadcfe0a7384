//! Places in the queue that local users wait in, through the agent.
//!
//! Who waits by a ticket and ends while it asks about it waits no more: unless others wait by it, its
//! place goes to the next. A script whose steps ask one after the other keeps its place as long as the
//! server keeps a ticket that nobody asks about. Several commands of one use that wait do so by one
//! place, and share the seat that it is granted.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use usher_api::{CheckoutAnswer, Code, Lease, Ticket, TicketAnswer, TicketState};
use usher_core::sessions::{ProcessKey, Program};

use super::State;
use super::answers::{Answer, App, Id, Refusal, answer};
use super::grants::{is_granted, own};
use super::one_use::Use;
use super::peer::Peer;
use crate::base::clock::{self, timestamp};
use crate::base::lock;
use crate::model::shares::uses::Key;
use crate::server::hearing::LOOKED_UP;
use crate::server::leaving::is_settled;
use crate::system::procfs;

/// The longest that a poll of a ticket may wait, in seconds.
const WAIT_LIMIT_SECONDS: u64 = 300;
/// How long a process may take to end after its connection has ended.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// How often the process is checked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    #[serde(default)]
    wait_seconds: u64,
}

/// `GET /v1/tickets/{id}`: polls a ticket.
pub(super) async fn ticket(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
    wait: Result<Query<Wait>, QueryRejection>,
) -> Answer {
    let Query(wait) =
        wait.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    let id = own(&state, &id, peer, Code::UnknownTicket)?;
    state.leaving.is_over(id)?;
    let seconds = wait.wait_seconds.min(WAIT_LIMIT_SECONDS);
    let path = format!("/v1/tickets/{id}?wait_seconds={seconds}");
    let of_use = state.tickets.of_use(id, peer);
    let starts = state.tickets.starts(id, peer);
    let waiting = Waiting::begin(&state, id, peer);
    let mut shared_now = state.uses.follow();
    let wait = Duration::from_secs(seconds);
    let polled = state.client.get_waiting::<TicketAnswer>(&path, wait);
    let mut polled = pin!(state.hearing.of(LOOKED_UP, wait, polled));
    let answered = loop {
        let shared = match &of_use {
            Some(key) => {
                let one_use = Use::again(&state, key).await;
                one_use.shared(&state, peer, starts.as_ref()).await?
            }
            None => None,
        };
        if let Some(lease) = shared {
            if let Some(waiting) = waiting {
                waiting.answered();
            }
            if !state.tickets.leaves_to_others(id, peer) {
                state.leaving.later(id);
            }
            return answer(StatusCode::OK, &shares(id, lease));
        }
        tokio::select! {
            answered = &mut polled => break answered,
            Ok(()) = shared_now.changed(), if of_use.is_some() => {}
        }
    };
    if let Some(waiting) = waiting {
        waiting.answered();
    }
    let mut answered = answered?;
    if let Some(lease) = answered.lease.take() {
        is_granted(&state, &lease, peer, of_use.is_some())?;
        state.tickets.granted(id, peer);
        let lease = match &of_use {
            Some(key) => granted(&state, peer, key, lease).await?,
            None => lease,
        };
        answered.lease = Some(lease);
    }
    answer(StatusCode::OK, &answered)
}

/// A ticket's lease, or the one that another request of the same use was granted at the same time.
async fn granted(state: &State, peer: Peer, key: &Key, lease: Lease) -> Result<Lease, Refusal> {
    let one_use = Use::again(state, key).await;
    // One that is only kept for their next start goes back, and not this one.
    let Some(shared) = one_use.in_use(state, peer).await? else {
        return one_use.granted(state, peer, lease).await;
    };
    let is_second = shared.id != lease.id;
    if is_second
        && state
            .client
            .delete(&format!("/v1/leases/{}", lease.id))
            .await
            .is_err()
    {
        lock(&state.agent).leave_behind(&lease.id)?;
    }
    Ok(shared)
}

/// The place that another command of the same use waits by, and who asks from now on, too. None: there
/// is none, and who asks takes one of its own. `starts` is what it starts, if anything.
pub(super) async fn place_of(
    state: &State,
    peer: Peer,
    one_use: &Use,
    starts: Option<&Program>,
) -> Option<CheckoutAnswer> {
    let (id, decision_id) = state.tickets.of(one_use.key())?;
    let path = format!("/v1/tickets/{id}");
    let place: TicketAnswer = state.heard(state.client.get(&path)).await.ok()?;
    // What was granted this instant is told to who asks about the ticket next.
    let stands = place.state == TicketState::Waiting || place.lease.is_some();
    if !stands || !state.tickets.joins(&id, peer) {
        return None;
    }
    if let Some(program) = starts {
        state.tickets.will_start(&id, peer, program.clone());
    }
    let ticket = Ticket {
        id,
        product: place.product,
        position: place.position.unwrap_or(1),
        expected_wait_seconds: place.expected_wait_seconds,
        expires_at: place
            .expires_at
            .unwrap_or_else(|| timestamp(clock::wall_ms())),
        also: place.also,
    };
    Some(CheckoutAnswer::Queued {
        decision_id,
        ticket,
    })
}

/// The answer to a process that waits and shares the lease of another.
fn shares(ticket: &str, lease: Lease) -> TicketAnswer {
    TicketAnswer {
        id: ticket.to_owned(),
        product: lease.product.clone(),
        state: TicketState::Granted,
        position: None,
        expected_wait_seconds: None,
        expires_at: None,
        passed_over: None,
        grants_nothing: None,
        reason: None,
        decision_id: None,
        lease: Some(lease),
        also: Vec::new(),
    }
}

/// `DELETE /v1/tickets/{id}`. If the server does not answer, the agent leaves the place once it
/// does, even if the command does not wait for that.
pub(super) async fn leave(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    let id = own(&state, &id, peer, Code::UnknownTicket)?;
    if state.tickets.leaves_to_others(id, peer) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    state.tickets.forget(id);
    let _begun = state.leaving.begins(id)?;
    let path = format!("/v1/tickets/{id}");
    let left = state.heard(state.client.delete(&path)).await;
    if left.as_ref().is_ok() || left.as_ref().is_err_and(is_settled) {
        state.leaving.is_over(id)?;
    }
    left?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A process that waits by a ticket asks about it. If its connection ends before the answer, and it
/// ends itself, its place goes, unless others wait by it.
struct Waiting {
    state: Arc<State>,
    ticket: String,
    waiter: ProcessKey,
    is_answered: bool,
}

impl Waiting {
    fn begin(state: &Arc<State>, ticket: &str, peer: Peer) -> Option<Waiting> {
        Some(Waiting {
            waiter: state.tickets.waiter(ticket, peer)?,
            state: state.clone(),
            ticket: ticket.to_owned(),
            is_answered: false,
        })
    }

    fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Where there is no runtime any more, the agent itself ends.
        let runtime = tokio::runtime::Handle::try_current();
        let (false, Ok(runtime)) = (self.is_answered, runtime) else {
            return;
        };
        let (state, ticket, waiter) = (self.state.clone(), self.ticket.clone(), self.waiter);
        runtime.spawn(async move {
            if !ends(waiter).await {
                return;
            }
            if state.tickets.leaves(&ticket, waiter) {
                tracing::info!(
                    ticket,
                    pid = waiter.pid,
                    "the process that waited has ended"
                );
                state.leaving.later(&ticket);
            }
        });
    }
}

/// Whether the process ends soon; its files are closed a moment before its end.
async fn ends(process: ProcessKey) -> bool {
    let end = Instant::now() + ENDS_WITHIN;
    while !procfs::is_gone(process) {
        if Instant::now() >= end {
            return false;
        }
        sleep(LOOK_EVERY).await;
    }
    true
}
