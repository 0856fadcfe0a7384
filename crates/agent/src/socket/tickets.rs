//! Places in the queue that local users wait in, through the agent.
//!
//! Who made a ticket and ends while it asks about it waits no more: its place goes to the next. A
//! script whose steps ask one after the other keeps its place as long as the server keeps a ticket
//! that nobody asks about. Of several commands of one use that wait, the others share the seat that the
//! first is granted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};
use usher_api::client::ClientError;
use usher_api::{Code, Lease, TicketAnswer, TicketState};
use usher_core::sessions::ProcessKey;

use super::State;
use super::answers::{Answer, App, Id, Refusal, answer};
use super::grants::{is_granted, own};
use super::one_use::Use;
use super::peer::Peer;
use crate::lock;
use crate::outbox::OutboxError;
use crate::system::procfs;
use crate::uses::Key;

/// The longest that a poll of a ticket may wait, in seconds.
const WAIT_LIMIT_SECONDS: u64 = 300;
/// Tickets whose makers are remembered; of one beyond, the place is kept as the server keeps it.
const LIMIT: usize = 4_096;
/// How long a process whose connection has ended may take to end itself.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the server may take to hear that a waiter is gone.
const LEFT_WITHIN: Duration = Duration::from_secs(10);

/// Which process made which ticket. In memory only: after a start of the agent places are kept as
/// the server keeps them.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, Made>>);

/// By whom a ticket was made, and for which use, if any lease of that use will do.
#[derive(Debug, Clone)]
struct Made {
    by: ProcessKey,
    of_use: Option<Key>,
}

impl Tickets {
    /// A process waits from now on.
    pub(super) fn made(&self, ticket: &str, peer: Peer, of_use: Option<Key>) {
        let Some(process) = peer.process() else {
            return;
        };
        let by = Made {
            by: process,
            of_use,
        };
        let mut made = lock(&self.0);
        if made.len() >= LIMIT {
            made.retain(|_, made| procfs::still_runs(made.by));
        }
        let is_full = made.len() >= LIMIT;
        match made.entry(ticket.to_owned()) {
            Entry::Occupied(mut known) => drop(known.insert(by)),
            Entry::Vacant(place) if !is_full => drop(place.insert(by)),
            Entry::Vacant(_) => {}
        }
    }

    /// The process that made the ticket, if it is the one that asks.
    fn waiter(&self, ticket: &str, peer: Peer) -> Option<ProcessKey> {
        let made = lock(&self.0).get(ticket)?.by;
        (peer.process() == Some(made)).then_some(made)
    }

    /// For which use of the process that asks the ticket waits, if any lease of that use will do.
    fn of_use(&self, ticket: &str, peer: Peer) -> Option<Key> {
        let made = lock(&self.0).get(ticket)?.clone();
        made.of_use.filter(|_| peer.process() == Some(made.by))
    }

    fn forget(&self, ticket: &str) {
        lock(&self.0).remove(ticket);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    #[serde(default)]
    wait_seconds: u64,
}

/// `GET /v1/tickets/{id}`.
pub(super) async fn ticket(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
    wait: Result<Query<Wait>, QueryRejection>,
) -> Answer {
    let Query(wait) =
        wait.map_err(|error| Refusal::new(Code::InvalidRequest, error.body_text()))?;
    let id = own(&state, &id, peer, Code::UnknownTicket)?;
    let seconds = wait.wait_seconds.min(WAIT_LIMIT_SECONDS);
    let path = format!("/v1/tickets/{id}?wait_seconds={seconds}");
    let of_use = state.tickets.of_use(id, peer);
    let waiting = Waiting::begin(&state, id, peer);
    let mut shared_now = state.uses.follow();
    let polled = state
        .client
        .get_waiting::<TicketAnswer>(&path, Duration::from_secs(seconds));
    let mut polled = pin!(polled);
    let answered = loop {
        if let Some(key) = &of_use
            && let Some(lease) = Use::again(&state, key).await.shared(&state, peer).await?
        {
            if let Some(waiting) = waiting {
                waiting.answered();
            }
            state.tickets.forget(id);
            // A place that is not left lapses soon.
            let _ = state.client.delete(&format!("/v1/tickets/{id}")).await;
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
        state.tickets.forget(id);
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
    let Some(shared) = one_use.shared(state, peer).await? else {
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
        let agent = &mut lock(&state.agent);
        agent
            .outbox
            .change(|change| change.leave_behind(&lease.id))?;
    }
    Ok(shared)
}

/// The answer to who waits and shares the lease of another.
fn shares(ticket: &str, lease: Lease) -> TicketAnswer {
    TicketAnswer {
        id: ticket.to_owned(),
        product: lease.product.clone(),
        state: TicketState::Granted,
        position: None,
        expected_wait_seconds: None,
        expires_at: None,
        passed_over: None,
        reason: None,
        decision_id: None,
        lease: Some(lease),
        also: Vec::new(),
    }
}

/// `DELETE /v1/tickets/{id}`.
pub(super) async fn leave(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Id(id): Id,
) -> Answer {
    let id = own(&state, &id, peer, Code::UnknownTicket)?;
    state.client.delete(&format!("/v1/tickets/{id}")).await?;
    state.tickets.forget(id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The maker of a ticket asks about it. If its connection ends before the answer, and it ends
/// itself, its place goes.
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
            match timeout(LEFT_WITHIN, leave_for(&state, &ticket)).await {
                Ok(Ok(())) => tracing::info!(ticket, pid = waiter.pid, "its waiter has ended"),
                Ok(Err(error)) => {
                    tracing::warn!(ticket, %error, "the place of a waiter that has ended is kept");
                }
                Err(_) => tracing::warn!(ticket, "the server does not answer: its place is kept"),
            }
        });
    }
}

/// Whether the process ends soon: its files are closed a moment before.
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

/// Leaves the queue, and gives back a seat that was granted meanwhile, unless somebody runs on it.
async fn leave_for(state: &State, ticket: &str) -> Result<(), Left> {
    state.tickets.forget(ticket);
    let path = format!("/v1/tickets/{ticket}");
    let answered: TicketAnswer = state.client.get(&path).await?;
    if let Some(lease) = answered.lease {
        let covers = lock(&state.agent).outbox.covers()?;
        let is_used = covers.iter().any(|cover| cover.lease == lease.id);
        if is_used || state.uses.is_shared_now(&lease.id) {
            return Ok(());
        }
    }
    Ok(state.client.delete(&path).await?)
}

#[derive(Debug, thiserror::Error)]
enum Left {
    #[error(transparent)]
    Server(#[from] ClientError),
    #[error(transparent)]
    Storage(#[from] OutboxError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_made_a_ticket_waits_by_it_and_no_number_of_tickets_is_too_many() {
        let tickets = Tickets::default();
        let uid = crate::socket::peer::own_uid().unwrap();
        let peer = |pid| Peer {
            uid,
            pid: Some(pid),
        };
        let own = std::process::id();
        tickets.made("T1", peer(own), None);
        assert!(tickets.waiter("T1", peer(own)).is_some());
        assert_eq!(tickets.waiter("T1", peer(1)), None);
        assert_eq!(tickets.waiter("T2", peer(own)), None);
        for number in 0..LIMIT + 5 {
            tickets.made(&format!("M{number}"), peer(own), None);
        }
        assert_eq!(lock(&tickets.0).len(), LIMIT);
        tickets.forget("T1");
        assert_eq!(tickets.waiter("T1", peer(own)), None);
    }
}
