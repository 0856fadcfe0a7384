//! The agent's local sockets: HTTP/1.1 with the JSON of `/v1`, for everyone on the computer.
//!
//! The kernel says which account is at the other end: nothing that a request claims about its user
//! or computer is believed. A user can reach only the leases and tickets that were made under the
//! same account. The number of connections is bounded, in all and for each user; so is the size of
//! bodies.

mod answers;
mod covers;
mod displays;
mod enforcement;
mod grants;
mod identify;
mod leases;
mod listener;
mod mine;
mod notices;
mod one_use;
mod peer;
mod places;
mod refreshes;
mod routes;
mod status;
mod tickets;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use usher_api::Watching;
use usher_api::client::{Client, ClientError};
use usher_platform::socket::Reach;

use crate::AgentOptions;
use crate::agent::Agent;
use crate::model::joins::Joins;
use crate::model::shares::uses::Uses;
use crate::server::attend::Attendant;
use crate::server::hearing::{Hearing, LOOKED_UP};
use crate::server::keeping::Keeping;
use crate::server::leaving::Leaving;
use crate::server::sync_loop::Exchanges;
use crate::watch::Shared;
use listener::{LocalListener, Slots};
pub(crate) use places::Tickets;
pub(crate) use refreshes::Refreshes;

/// The state that the routes use.
pub(crate) struct State {
    pub(crate) agent: Arc<Mutex<Agent>>,
    pub(crate) client: Client,
    /// Looks after seats that people wait for.
    pub(crate) attendant: Attendant,
    /// The joins of leases.
    pub(crate) joins: Arc<Joins>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) watching: Watching,
    pub(crate) can_miss: Vec<String>,
    pub(crate) server: String,
    /// Notified if there is something to send to the server.
    pub(crate) changed: Arc<Notify>,
    pub(crate) exchanges: watch::Receiver<Exchanges>,
    /// How often each account may ask for an exchange.
    pub(crate) refreshes: Refreshes,
    /// How often each account may read from the server.
    pub(crate) looks: Refreshes,
    /// Leases that several commands of one use share.
    pub(crate) uses: Arc<Uses>,
    /// Leases that the agent renews if nobody else does.
    pub(crate) keeping: Arc<Keeping>,
    /// The processes that wait by each ticket.
    pub(crate) tickets: Tickets,
    /// Places in the queue that nobody waits by any more.
    pub(crate) leaving: Arc<Leaving>,
    /// Whether the server answers at all.
    pub(crate) hearing: Arc<Hearing>,
    /// Held while a file is inspected for a user: one at a time.
    pub(crate) identifying: Semaphore,
}

impl State {
    /// Awaits an answer of the server that should come soon; an error if the server is silent.
    async fn heard<T>(
        &self,
        answer: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        self.hearing.of(LOOKED_UP, Duration::ZERO, answer).await
    }
}

/// Listens on the socket of the data directory and, if configured, on the public one. A socket that
/// cannot be made is logged and does not stop the agent. Answers those that were made.
pub(crate) fn listen(
    options: &AgentOptions,
    state: Arc<State>,
    stop: &watch::Receiver<bool>,
) -> Vec<PathBuf> {
    let own = (options.data.join("agent.sock"), Reach::Owner);
    let public = options
        .public_socket
        .clone()
        .map(|path| (path, Reach::Everybody));
    let slots = Slots::default();
    let mut made = Vec::new();
    for (path, reach) in [Some(own), public].into_iter().flatten() {
        match LocalListener::bind(&path, reach, slots.clone()) {
            Ok(listener) => {
                tokio::spawn(usher_vital::task(
                    "socket",
                    serve(listener, state.clone(), stop.clone()),
                ));
                made.push(path);
            }
            Err(error) => {
                let path = path.display().to_string();
                tracing::warn!(path, %error, "no local socket: usher run cannot reach the agent there");
            }
        }
    }
    made
}

async fn serve(listener: LocalListener, state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let service = routes::router(state).into_make_service_with_connect_info::<peer::Peer>();
    let stopped = async move {
        let _ = stop.changed().await;
    };
    if let Err(error) = axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await
    {
        tracing::error!(%error, "a local socket is closed");
    }
}

/// The folder that a public socket lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
