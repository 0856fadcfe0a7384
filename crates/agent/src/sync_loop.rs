//! When requests go to the server, and what happens when it is away.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{Notify, watch};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, SYNC_ITEMS_LIMIT, Watching};

use crate::agent::Agent;
use crate::outbox::OutboxError;
use crate::sync::{Answered, DEBOUNCE, IDLE_MS, Request};
use crate::{clock, lock};

const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_LAST: Duration = Duration::from_secs(15);

/// How long an agent that is to stop waits for the server.
const LAST_LIMIT: Duration = Duration::from_secs(2);

/// How many exchanges were begun, and up to which they have ended, well or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Exchanges {
    pub(crate) begun: u64,
    pub(crate) ended: u64,
}

/// How an exchange went.
enum Outcome {
    /// It succeeded; true: more waits.
    Done(bool),
    /// The server is away, or refuses.
    Failed,
}

/// One last exchange, for what happened at the end.
pub(crate) async fn last(agent: &Mutex<Agent>, client: &Client, watching: Watching) {
    let mut limit = SYNC_ITEMS_LIMIT;
    let exchange = exchange(agent, client, watching, &mut limit);
    if tokio::time::timeout(LAST_LIMIT, exchange).await.is_err() {
        tracing::debug!("the server did not answer in time; what it lacks is kept");
    }
}

/// Exchanges with the server until told to stop.
pub(crate) async fn run(
    agent: Arc<Mutex<Agent>>,
    client: Client,
    watching: Watching,
    changed: Arc<Notify>,
    exchanges: watch::Sender<Exchanges>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = PAUSE_FIRST;
    let mut limit = SYNC_ITEMS_LIMIT;
    let mut more = true;
    let urgent = lock(&agent).urgent.clone();
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
            outcome = exchange(&agent, &client, watching, &mut limit) => outcome,
            _ = stop.changed() => return,
        };
        exchanges.send_modify(|exchanges| exchanges.ended = exchanges.begun);
        match outcome {
            Ok(Outcome::Done(waiting)) => {
                pause = PAUSE_FIRST;
                more = waiting;
                continue;
            }
            Ok(Outcome::Failed) => {}
            Err(error) => tracing::error!(%error, "the agent's state"),
        }
        {
            let mut agent = lock(&agent);
            agent.connected = false;
            agent.unreached.away();
            if let Err(error) = agent.let_go(true) {
                tracing::error!(%error, "the agent's state");
            }
        }
        tokio::select! {
            () = urgent.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
        // A bad answer is no reason to hammer; a longer pause is.
        pause = (pause * 2).min(PAUSE_LAST);
        more = true;
    }
}

/// Gives back the leases whose keepers were killed, before what still runs asks for its own seat.
/// Where the server is away they stay left behind, and end there with their ttl at the latest.
async fn give_back(agent: &Mutex<Agent>, client: &Client) -> Result<(), OutboxError> {
    let leases = lock(agent).outbox.left_behind()?;
    for lease in leases {
        match client.delete(&format!("/v1/leases/{lease}")).await {
            Ok(()) => {}
            // One that it does not know, or not as ours, is not ours to give back.
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {}
            // It is away, or cannot do it now.
            Err(_) => return Ok(()),
        }
        let mut agent = lock(agent);
        agent.outbox.change(|change| change.given_back(&lease))?;
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

async fn exchange(
    agent: &Mutex<Agent>,
    client: &Client,
    watching: Watching,
    limit: &mut usize,
) -> Result<Outcome, OutboxError> {
    give_back(agent, client).await?;
    let (request, sent) = lock(agent).prepare(watching, *limit)?;
    let answer = ask(client, &request).await;
    let was_connected = lock(agent).connected;
    let problem = match answer {
        Ok(answer) => {
            let mut agent = lock(agent);
            if !agent.digest(&sent, answer)? {
                return Ok(Outcome::Failed);
            }
            *limit = (*limit * 2).min(SYNC_ITEMS_LIMIT);
            if !was_connected {
                tracing::info!("connected to the metering server");
            }
            let waiting = agent.outbox.waiting()? > 0 && sent.items() > 0;
            return Ok(Outcome::Done(waiting));
        }
        Err(ClientError::Problem(problem)) => problem,
        Err(error) => {
            if was_connected {
                tracing::warn!(%error, "the metering server is away; what happens is kept");
            }
            return Ok(Outcome::Failed);
        }
    };
    if was_connected {
        tracing::warn!(
            code = problem.code,
            detail = problem.detail,
            "the server refuses"
        );
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
