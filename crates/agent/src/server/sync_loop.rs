//! When the agent sends requests to the server, and what it does if the server does not answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{Notify, watch};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, SYNC_ITEMS_LIMIT, Watching};

use crate::agent::sync::{Answered, DEBOUNCE, IDLE_MS, Request};
use crate::agent::{Agent, Left};
use crate::base::{clock, lock};
use crate::model::shares::uses::Uses;
use crate::server::unconnected;
use crate::store::outbox::OutboxError;

const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_LAST: Duration = Duration::from_secs(15);
/// How often the token's file is read while the server does not accept the token.
const TOKEN_LOOK: Duration = Duration::from_secs(1);

/// How long an agent that is to stop waits for the server.
const LAST_LIMIT: Duration = Duration::from_secs(2);

/// The number of exchanges that were begun, and the number of the last that ended, whether it
/// succeeded or failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Exchanges {
    pub(crate) begun: u64,
    pub(crate) ended: u64,
}

/// How an exchange went.
enum Outcome {
    /// It succeeded; `true`: more items wait.
    Done(bool),
    /// The server did not answer, or refused.
    Failed,
    /// The server does not accept the token.
    TokenRefused,
}

/// One last exchange before the agent stops, for what happened since the one before.
pub(crate) async fn last(agent: &Mutex<Agent>, client: &Client, uses: &Uses, watching: Watching) {
    let mut limit = SYNC_ITEMS_LIMIT;
    let exchange = exchange(agent, client, uses, watching, &mut limit);
    if tokio::time::timeout(LAST_LIMIT, exchange).await.is_err() {
        tracing::debug!("the server did not answer in time; unsent records are kept");
    }
}

/// Makes exchanges with the server until told to stop.
pub(crate) async fn run(
    agent: Arc<Mutex<Agent>>,
    client: Client,
    uses: Arc<Uses>,
    watching: Watching,
    changed: Arc<Notify>,
    exchanges: watch::Sender<Exchanges>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = PAUSE_FIRST;
    let mut limit = SYNC_ITEMS_LIMIT;
    let mut more = true;
    let urgent = lock(&agent).urgent();
    loop {
        if !more {
            let now = clock::boot_ms();
            let due = lock(&agent).next_due_boot_ms().min(now + IDLE_MS);
            let wait = Duration::from_millis(due.saturating_sub(now));
            tokio::select! {
                () = urgent.notified() => {}
                () = changed.notified() => tokio::select! {
                    () = tokio::time::sleep(DEBOUNCE) => {}
                    // Somebody waits: for nothing more to happen.
                    () = urgent.notified() => {}
                },
                () = tokio::time::sleep(wait) => {}
                _ = stop.changed() => return,
            }
        }
        exchanges.send_modify(|exchanges| exchanges.begun += 1);
        let outcome = tokio::select! {
            outcome = exchange(&agent, &client, &uses, watching, &mut limit) => outcome,
            _ = stop.changed() => return,
        };
        exchanges.send_modify(|exchanges| exchanges.ended = exchanges.begun);
        let is_for_the_token = matches!(outcome, Ok(Outcome::TokenRefused));
        match outcome {
            Ok(Outcome::Done(waiting)) => {
                pause = PAUSE_FIRST;
                more = waiting;
                continue;
            }
            Ok(Outcome::Failed | Outcome::TokenRefused) => {}
            Err(error) => {
                tracing::error!(%error, "the agent's state");
                lock(&agent).is_not_connected(error.to_string());
            }
        }
        {
            let mut agent = lock(&agent);
            agent.server_is_down();
            if let Err(error) = agent.let_go(true) {
                tracing::error!(%error, "the agent's state");
            }
        }
        tokio::select! {
            () = urgent.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = another_token(&client), if is_for_the_token => pause = PAUSE_FIRST,
            _ = stop.changed() => return,
        }
        // A bad answer is no reason to hammer; a longer pause is.
        pause = (pause * 2).min(PAUSE_LAST);
        more = true;
    }
}

/// Waits until the token's file holds another token, which the client shows from then on.
async fn another_token(client: &Client) {
    while !client.takes_another_token().await {
        tokio::time::sleep(TOKEN_LOOK).await;
    }
}

/// Why a lease was not given back.
enum Trouble {
    /// The server does not know the lease, it is not ours, or it is no valid id of a lease.
    NotOurs,
    /// Another attempt may succeed.
    Later,
    /// The server does not answer, cannot do it now, or does not accept our token: the other leases
    /// would fail, too.
    Away,
}

impl Trouble {
    fn of(error: &ClientError) -> Trouble {
        match error {
            ClientError::Problem(problem) => match problem.status {
                401 | 503 => Trouble::Away,
                400 | 404 => Trouble::NotOurs,
                _ => Trouble::Later,
            },
            ClientError::NotUnderstood { .. } => Trouble::Later,
            ClientError::Unreachable { .. } | ClientError::Setup { .. } => Trouble::Away,
        }
    }
}

/// Gives back the leases whose `usher run` was killed, before the programs that still run ask for
/// their own seats. If the server does not answer, the leases end there with their ttl at the
/// latest. A lease that fails for a reason of its own does not delay those behind it; one that a
/// command was given and is about to run on is left for the next time.
async fn give_back(agent: &Mutex<Agent>, client: &Client, uses: &Uses) -> Result<(), OutboxError> {
    let leases = lock(agent).outbox().left_behind()?;
    for lease in leases {
        let Some(_turn) = uses.turn_of_now(&lease) else {
            continue;
        };
        // In this order: a claim ends only once its cover has taken the lease off the list.
        if uses.is_shared_now(&lease) || !lock(agent).outbox().is_left_behind(&lease)? {
            continue;
        }
        {
            let mut agent = lock(agent);
            match agent.leaves(&lease)? {
                Left::Used => {
                    agent.is_taken_up(&lease)?;
                    continue;
                }
                Left::GivenBack => continue,
                Left::ToGiveBack => {}
            }
        }
        let given_back = client.delete(&format!("/v1/leases/{lease}")).await;
        let mut agent = lock(agent);
        agent.is_gone(&lease);
        match given_back {
            Ok(()) => {}
            Err(error) => match Trouble::of(&error) {
                Trouble::NotOurs => {}
                Trouble::Later => {
                    tracing::warn!(lease, %error, "a lease could not be given back");
                    continue;
                }
                Trouble::Away => return Ok(()),
            },
        }
        agent.given_back(&lease)?;
    }
    Ok(())
}

async fn ask(client: &Client, request: &Request) -> Result<Answered, ClientError> {
    let text: Box<RawValue> = client.post("/v1/agents/sync", request).await?;
    Answered::read(&text).map_err(|error| ClientError::NotUnderstood {
        endpoint: client.endpoint().to_string(),
        why: error.to_string(),
    })
}

/// Remembers why an exchange failed, and logs it if the reason differs from the last one's.
fn not_connected(agent: &Mutex<Agent>, client: &Client, error: &ClientError) {
    let mut agent = lock(agent);
    let why = unconnected::why(error, &agent.here().computer.id, client.token_file());
    if agent.is_not_connected(why.clone()) {
        tracing::warn!(
            why,
            "not connected to the metering server; records are kept until it answers"
        );
    }
}

async fn exchange(
    agent: &Mutex<Agent>,
    client: &Client,
    uses: &Uses,
    watching: Watching,
    limit: &mut usize,
) -> Result<Outcome, OutboxError> {
    give_back(agent, client, uses).await?;
    let (request, sent) = lock(agent).prepare(watching, *limit)?;
    let answer = ask(client, &request).await;
    let was_connected = lock(agent).link().is_up();
    let problem = match answer {
        Ok(answer) => {
            let mut agent = lock(agent);
            if !agent.digest(&sent, answer)? {
                let why = "the server took a part of what was sent, and is asked again";
                agent.is_not_connected(why.to_owned());
                return Ok(Outcome::Failed);
            }
            *limit = (*limit * 2).min(SYNC_ITEMS_LIMIT);
            if !was_connected {
                tracing::info!("connected to the metering server");
            }
            let waiting = agent.outbox().waiting()? > 0 && sent.items() > 0;
            return Ok(Outcome::Done(waiting));
        }
        Err(error) => {
            if let ClientError::Problem(problem) = &error
                && problem.is(Code::InvalidRequest)
                && lock(agent).learns_unknown(&problem.detail)
            {
                // The same again, without.
                return Ok(Outcome::Done(true));
            }
            not_connected(agent, client, &error);
            let ClientError::Problem(problem) = error else {
                lock(agent).server_is_away();
                return Ok(Outcome::Failed);
            };
            problem
        }
    };
    if problem.is(Code::Unauthorized) || problem.is(Code::Forbidden) {
        return Ok(Outcome::TokenRefused);
    }
    if problem.is(Code::StaleSender) {
        lock(agent).begin_incarnation()?;
    }
    let spoiled = problem.is(Code::InvalidRequest) || problem.is(Code::BodyTooLarge);
    if !spoiled || sent.items() == 0 {
        return Ok(Outcome::Failed);
    }
    // One item spoils the request: it is looked for by halves.
    if sent.items() > 1 {
        *limit = (sent.items() / 2).max(1);
        return Ok(Outcome::Done(true));
    }
    // It is only the item's fault if the server takes a request without it.
    let (empty, none_sent) = lock(agent).prepare(watching, 0)?;
    let Ok(answer) = ask(client, &empty).await else {
        return Ok(Outcome::Failed);
    };
    let mut agent = lock(agent);
    agent.digest(&none_sent, answer)?;
    agent.drop_poison(&sent, &problem.detail)?;
    Ok(Outcome::Done(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Json;
    use axum::extract::{Path, State};
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::routing::delete;
    use usher_api::Problem;
    use usher_api::client::Endpoint;
    use usher_core::sessions::ProcessKey;

    use crate::store::outbox::Cover;
    use crate::system::procfs;

    const HELD: [&str; 7] = ["L1", "odd", "ill", "weird", "refused", "gone", "L7"];

    /// A server that each lease meets in another mood; notes which it was asked for.
    async fn server(is_away: bool) -> (Client, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer = move |State(asked): State<Arc<Mutex<Vec<String>>>>, Path(id): Path<String>| async move {
            let code = match id.as_str() {
                _ if is_away => Some(Code::StorageFailed),
                "odd" => Some(Code::InvalidRequest),
                "ill" => Some(Code::Internal),
                "refused" => Some(Code::Forbidden),
                "gone" => Some(Code::UnknownLease),
                _ => None,
            };
            let is_weird = id == "weird";
            lock(&asked).push(id);
            match code {
                Some(code) => {
                    let status = StatusCode::from_u16(code.status()).unwrap();
                    (status, Json(Problem::new(code, "so"))).into_response()
                }
                None if is_weird => StatusCode::IM_A_TEAPOT.into_response(),
                None => StatusCode::NO_CONTENT.into_response(),
            }
        };
        let routes = axum::Router::new()
            .route("/v1/leases/{id}", delete(answer))
            .with_state(asked.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let client = Client::new(Endpoint::Url(url), None, None).unwrap();
        (client, asked)
    }

    fn agent(folder: &std::path::Path) -> Mutex<Agent> {
        let mut agent = Agent::open(folder, &folder.join("no-machine-id"), None, None).unwrap();
        for lease in HELD {
            agent.leave_behind(lease).unwrap();
        }
        Mutex::new(agent)
    }

    #[tokio::test]
    async fn a_lease_that_cannot_be_given_back_does_not_keep_those_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let agent = agent(folder.path());
        let (client, asked) = server(false).await;
        give_back(&agent, &client, &Uses::default()).await.unwrap();
        assert_eq!(*lock(&asked), HELD);
        // What another try may mend stays; what is not ours does not.
        let left = lock(&agent).outbox().left_behind().unwrap();
        assert_eq!(left, ["ill", "weird", "refused"]);
    }

    #[tokio::test]
    async fn a_lease_whose_keeper_was_killed_is_left_to_who_was_given_it() {
        let folder = tempfile::tempdir().unwrap();
        let agent = agent(folder.path());
        let (client, asked) = server(false).await;
        let uses = Uses::default();
        let pid = std::process::id();
        let start = procfs::process_stat(pid).unwrap().start;
        let root = ProcessKey { pid, start };
        uses.share("L1", root);
        let turn = uses.turn_of("L7").await;
        give_back(&agent, &client, &uses).await.unwrap();
        assert!(!lock(&asked).iter().any(|id| id == "L1" || id == "L7"));
        let cover = Cover {
            root,
            lease: "L1".to_owned(),
            product: "app".to_owned(),
            keeps: true,
            proof: None,
        };
        lock(&agent).cover(cover).unwrap();
        uses.is_covered("L1", pid);
        drop(turn);
        give_back(&agent, &client, &uses).await.unwrap();
        assert!(!lock(&asked).iter().any(|id| id == "L1"), "it is kept");
        assert!(lock(&asked).iter().any(|id| id == "L7"));
    }

    #[tokio::test]
    async fn a_server_that_can_take_none_is_asked_once() {
        let folder = tempfile::tempdir().unwrap();
        let agent = agent(folder.path());
        let (client, asked) = server(true).await;
        give_back(&agent, &client, &Uses::default()).await.unwrap();
        assert_eq!(*lock(&asked), ["L1"]);
        assert_eq!(lock(&agent).outbox().left_behind().unwrap(), HELD);
    }
}
