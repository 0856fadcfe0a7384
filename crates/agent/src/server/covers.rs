//! Covers end with their lease: the agent asks the server whether the lease of a cover is held,
//! when the cover is made and from time to time. For a lease of another computer it shows the proof
//! that the cover was made with. A program that still runs after its lease has ended is a use of
//! its own from then on. While the server does not answer, covers stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, HeldLease, LEASE_PROOF_HEADER};

use crate::agent::Agent;
use crate::base::lock;
use crate::model::joins::Joins;
use crate::store::outbox::OutboxError;

/// How long the server may take to say which product a lease is of: a person waits for their
/// program.
const ASK_LIMIT: Duration = Duration::from_secs(2);
/// How long a cover stays after its lease is gone: `usher run` gives its lease back just before it
/// ends, or gets another one.
const GONE_LIMIT: Duration = Duration::from_secs(3);

/// How long joins gather before they are sent to the server.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// What the server says of a lease.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The agent holds the lease.
    Held(HeldLease),
    /// It has ended, there was never one, or it is another computer's and no valid proof was shown.
    Gone,
    /// The server could not be asked; why.
    NotKnown(String),
}

/// Asks the server which product a lease is of, shows the proof if there is one, and tells how
/// often commands have joined it since the last time. `lease` and `proof` were checked by the
/// socket: they have only plain characters.
pub(crate) async fn ask(client: &Client, lease: &str, proof: Option<&str>, joins: u32) -> Found {
    let path = match joins {
        0 => format!("/v1/agents/leases/{lease}"),
        _ => format!("/v1/agents/leases/{lease}?joins={joins}"),
    };
    let asked = async {
        match proof {
            Some(proof) => client.get_showing(&path, LEASE_PROOF_HEADER, proof).await,
            None => client.get(&path).await,
        }
    };
    match tokio::time::timeout(ASK_LIMIT, asked).await {
        Ok(Ok(held)) => Found::Held(held),
        Ok(Err(ClientError::Problem(problem))) if problem.is(Code::UnknownLease) => Found::Gone,
        Ok(Err(error)) => Found::NotKnown(error.to_string()),
        Err(_) => Found::NotKnown("the server has not answered in time".to_owned()),
    }
}

/// Checks the leases of all covers from time to time, until told to stop.
pub(crate) async fn run(
    agent: Arc<Mutex<Agent>>,
    client: Client,
    joins: Arc<Joins>,
    every: Duration,
    changed: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let mut turns = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let looking = async {
        loop {
            tokio::select! {
                _ = turns.tick() => {}
                () = joins.to_tell.notified() => {
                    tokio::time::sleep(TELL_AFTER.min(every)).await;
                    tell(&client, &joins).await;
                    continue;
                }
            }
            let gone = match gone(&agent, &client).await {
                Ok(gone) if gone.is_empty() => continue,
                Ok(gone) => gone,
                Err(error) => {
                    tracing::error!(%error, "covers cannot be checked");
                    continue;
                }
            };
            tokio::time::sleep(GONE_LIMIT.min(every)).await;
            match lock(&agent).leases_are_gone(&gone) {
                Ok(()) => changed.notify_one(),
                Err(error) => tracing::error!(%error, "a cover cannot be ended"),
            }
        }
    };
    tokio::select! {
        () = looking => {}
        _ = stop.changed() => {}
    }
}

/// Tells the server of joins. Those that it does not take now are told with the next ones.
async fn tell(client: &Client, joins: &Joins) {
    let mut untold = joins.take().into_iter();
    for (lease, of) in untold.by_ref() {
        let answer = ask(client, &lease, of.proof.as_deref(), of.joins).await;
        if let Found::NotKnown(_) = answer {
            joins.keep(lease, of);
            break;
        }
    }
    for (lease, of) in untold {
        joins.keep(lease, of);
    }
}

/// The leases of covers of which the server says that they are not held.
async fn gone(agent: &Mutex<Agent>, client: &Client) -> Result<BTreeSet<String>, OutboxError> {
    let mut leases: BTreeMap<String, Option<String>> = BTreeMap::new();
    {
        let agent = lock(agent);
        for cover in agent.outbox().covers()? {
            let proof = leases.entry(cover.lease).or_default();
            *proof = cover.proof.or(proof.take());
        }
        let joined = agent.joined_leases();
        for lease in joined {
            leases.entry(lease.to_owned()).or_default();
        }
        // Of a session's the exchange asks.
        leases.retain(|lease, _| agent.lent(lease).is_none());
    }
    let mut gone = BTreeSet::new();
    for (lease, proof) in leases {
        match ask(client, &lease, proof.as_deref(), 0).await {
            Found::Held(_) => {}
            Found::Gone => drop(gone.insert(lease)),
            // Who is away now is away for the others too.
            Found::NotKnown(_) => break,
        }
    }
    Ok(gone)
}
