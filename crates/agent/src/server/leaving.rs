//! Tickets that nobody waits with any more: the agent leaves the queue for each once the server
//! answers, also after a restart of the agent. Otherwise the server would grant a seat to nobody
//! and keep it from others until the ticket lapses.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use usher_api::client::{Client, ClientError};

use crate::agent::Agent;
use crate::base::lock;
use crate::server::sync_loop::Exchanges;
use crate::store::outbox::OutboxError;

/// How long the server may take to answer for one ticket; then it is tried again.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
/// The pause between two attempts: the first and the longest. It also ends with the end of an
/// exchange with the server.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// The tickets to be left.
pub(crate) struct Leaving {
    agent: Arc<Mutex<Agent>>,
    /// The same as on disk, so that a question about a ticket needs no disk.
    left: Mutex<BTreeSet<String>>,
    changed: Notify,
}

/// A request leaves a place in the queue now. When this is dropped, [`run`] looks after
/// it: it does what failed or was broken off.
pub(crate) struct Begun<'l>(&'l Leaving);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.changed.notify_one();
    }
}

impl Leaving {
    /// With the tickets that the agent's former run left on disk.
    pub(crate) fn take_up(agent: Arc<Mutex<Agent>>) -> Result<Leaving, OutboxError> {
        let left = lock(&agent).outbox().left_tickets()?;
        Ok(Leaving {
            agent,
            left: Mutex::new(left.into_iter().collect()),
            changed: Notify::new(),
        })
    }

    /// A place in the queue is to be left; that is on disk when this returns.
    pub(crate) fn begins(&self, ticket: &str) -> Result<Begun<'_>, OutboxError> {
        let mut agent = lock(&self.agent);
        agent.leave_ticket(ticket)?;
        *lock(&self.left) = agent.outbox().left_tickets()?.into_iter().collect();
        Ok(Begun(self))
    }

    /// The same, if no request leaves it now.
    pub(crate) fn later(&self, ticket: &str) {
        if let Err(error) = self.begins(ticket) {
            tracing::warn!(ticket, %error, "a place in the queue that nobody waits by cannot be given up");
        }
    }

    /// The place was left, or somebody waits with the ticket again: it is not to be left any more.
    pub(crate) fn is_over(&self, ticket: &str) -> Result<(), OutboxError> {
        if lock(&self.left).remove(ticket) {
            lock(&self.agent).ticket_is_left(ticket)?;
        }
        Ok(())
    }

    /// Leaves all places, up to the first for which the server does not answer; returns how many
    /// are still to be left.
    async fn leave_all(&self, client: &Client) -> Result<usize, OutboxError> {
        let tickets: Vec<String> = lock(&self.left).iter().cloned().collect();
        for ticket in tickets {
            let path = format!("/v1/tickets/{ticket}");
            match timeout(HEARD_WITHIN, client.delete(&path)).await {
                Ok(Ok(())) => {
                    tracing::info!(ticket, "gave up a place in the queue that nobody waits by")
                }
                Ok(Err(error)) if is_settled(&error) => {}
                Ok(Err(ClientError::Unreachable { .. })) | Err(_) => break,
                Ok(Err(error)) => {
                    tracing::debug!(ticket, %error, "a place in the queue will be given up later");
                    continue;
                }
            }
            self.is_over(&ticket)?;
        }
        Ok(lock(&self.left).len())
    }
}

/// Whether the server knows no such ticket, or one that is not ours: there is nothing to leave.
pub(crate) fn is_settled(error: &ClientError) -> bool {
    matches!(error.problem(), Some(problem) if matches!(problem.status, 400 | 403 | 404))
}

/// Leaves the places that are to be left, until told to stop.
pub(crate) async fn run(
    leaving: Arc<Leaving>,
    client: Client,
    mut exchanges: watch::Receiver<Exchanges>,
    mut stop: watch::Receiver<bool>,
) {
    let leaves = async {
        let mut pause = AGAIN.0;
        loop {
            let ended = exchanges.borrow_and_update().ended;
            let begun = Instant::now();
            match leaving.leave_all(&client).await {
                Ok(0) => {
                    pause = AGAIN.0;
                    leaving.changed.notified().await;
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "the list of places to give up cannot be written")
                }
            }
            let exchanged = exchanges.wait_for(|exchanges| exchanges.ended > ended);
            // A server that is silent has made the pause itself: it hears of them once it goes on.
            let rest = pause.saturating_sub(begun.elapsed());
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = leaving.changed.notified() => {}
                Ok(_) = exchanged => {}
            }
            pause = (pause * 2).min(AGAIN.1);
        }
    };
    tokio::select! {
        () = leaves => {}
        _ = stop.changed() => {}
    }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::extract::{Path, State};
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::routing::delete;
    use usher_api::client::Endpoint;
    use usher_api::{Code, Problem};

    use super::*;

    /// A server that does not know the ticket `gone`, and, while `is_away`, cannot do anything; notes
    /// which were left.
    #[derive(Clone, Default)]
    struct Server {
        is_away: Arc<Mutex<bool>>,
        left: Arc<Mutex<Vec<String>>>,
    }

    impl Server {
        async fn client(&self) -> Client {
            let answer = |State(server): State<Server>, Path(id): Path<String>| async move {
                let code = match id.as_str() {
                    _ if *lock(&server.is_away) => Code::StorageFailed,
                    "gone" => Code::UnknownTicket,
                    _ => {
                        lock(&server.left).push(id);
                        return StatusCode::NO_CONTENT.into_response();
                    }
                };
                let status = StatusCode::from_u16(code.status()).unwrap();
                (status, Json(Problem::new(code, "so"))).into_response()
            };
            let routes = axum::Router::new()
                .route("/v1/tickets/{id}", delete(answer))
                .with_state(self.clone());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, routes).await });
            Client::new(Endpoint::Url(url), None, None).unwrap()
        }
    }

    fn agent(folder: &std::path::Path) -> Arc<Mutex<Agent>> {
        let agent = Agent::open(folder, &folder.join("no-machine-id"), None, None).unwrap();
        Arc::new(Mutex::new(agent))
    }

    #[tokio::test]
    async fn a_place_is_left_once_the_server_can_also_by_the_agents_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::default();
        let client = server.client().await;
        *lock(&server.is_away) = true;
        let leaving = Leaving::take_up(agent(folder.path())).unwrap();
        for ticket in ["T1", "gone", "T2", "T3"] {
            leaving.later(ticket);
        }
        // Somebody waits by it again.
        leaving.is_over("T2").unwrap();
        assert_eq!(leaving.leave_all(&client).await.unwrap(), 3);
        drop(leaving);
        *lock(&server.is_away) = false;
        let leaving = Leaving::take_up(agent(folder.path())).unwrap();
        assert_eq!(leaving.leave_all(&client).await.unwrap(), 0);
        assert_eq!(*lock(&server.left), ["T1", "T3"]);
        let known = lock(&leaving.agent).outbox().left_tickets().unwrap();
        assert!(known.is_empty(), "{known:?}");
    }

    #[tokio::test]
    async fn nobody_has_to_ask_again_for_a_place_to_be_left() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::default();
        let client = server.client().await;
        *lock(&server.is_away) = true;
        let leaving = Arc::new(Leaving::take_up(agent(folder.path())).unwrap());
        let (_exchanges, exchanges) = watch::channel(Exchanges::default());
        let (stop_in, stop) = watch::channel(false);
        let run = tokio::spawn(run(leaving.clone(), client, exchanges, stop));
        leaving.later("T1");
        *lock(&server.is_away) = false;
        let left = async {
            while lock(&server.left).is_empty() {
                tokio::task::yield_now().await;
            }
        };
        let within = Duration::from_secs(60);
        timeout(within, left).await.unwrap();
        stop_in.send(true).unwrap();
        run.await.unwrap();
    }
}
