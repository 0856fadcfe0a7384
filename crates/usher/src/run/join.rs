//! Joining a lease that somebody else keeps, and telling the agent which lease covers a command.

use std::borrow::Cow;
use std::path::Path;

use usher_api::client::{Client, ClientError};
use usher_api::{Code, CoverRequest, HeldLease, LEASE_PROOF_HEADER, Lease};

use super::child::Child;
use super::door::{self, Door};
use super::order::Order;
use super::recognise;
use super::signals::Signals;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::{eprintln_quiet, escaped, segment};

/// The environment variable by which what runs on a seat finds it.
pub(crate) const LEASE_VARIABLE: &str = "USHER_LEASE";
/// The product of that seat.
pub(crate) const PRODUCT_VARIABLE: &str = "USHER_LEASE_PRODUCT";
/// The proof by which it is joined, also on another computer; empty if there is none.
pub(crate) const PROOF_VARIABLE: &str = "USHER_LEASE_PROOF";

/// What became of joining a lease.
pub(super) enum Joined {
    /// The command ran on it, and ended with that code.
    Ended(u8),
    /// The lease of the `usher run` around this one is none of which this may be part any more: its
    /// command was started by something that goes on, such as a batch system.
    NotHeld,
}

/// Runs the command on a lease that somebody else keeps and gives back.
pub(super) async fn join(
    order: &Order,
    context: &Context,
    file: &Path,
    lease: &str,
    door: Option<&Door>,
    signals: &mut Signals,
) -> Result<Joined, Failure> {
    let mut product = order.product.clone().or_else(|| order.around.clone());
    let proof = order.proof.as_deref();
    segment(lease)?;
    let agent = match door {
        Some(door) => door.agent.clone(),
        // It was named. The lease of the `usher run` around this one is not asked about: that one
        // may hold another by now.
        None => {
            let agent = door::agent(order.agent_socket.as_deref(), context).await?;
            if agent.is_none() {
                must_be_held(&context.client()?, lease, proof).await?;
            }
            agent.map(|(agent, _)| agent)
        }
    };
    if let Some(agent) = &agent {
        if door.is_none() {
            product = of_product(agent, lease, proof, context).await?.or(product);
        }
        if product.is_none() {
            product = recognise::by_agent(agent, file).await.unwrap_or_default();
        }
        if let Some(product) = &product {
            match cover(agent, lease, product, proof, false, std::process::id()).await {
                Err(ClientError::Problem(problem))
                    if door.is_none() && problem.is(Code::UnknownLease) =>
                {
                    return Err(not_held(problem.detail));
                }
                Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
                    return Ok(Joined::NotHeld);
                }
                covered => say_uncovered(covered),
            }
        }
    }
    let mut environment = vec![(LEASE_VARIABLE, lease)];
    environment.push((PROOF_VARIABLE, proof.unwrap_or_default()));
    environment.extend(
        product
            .as_deref()
            .map(|product| (PRODUCT_VARIABLE, product)),
    );
    let child = Child::start(file, &order.words, &environment, signals.mask_before())?;
    loop {
        if let Some(code) = child.attend(signals.next().await) {
            return Ok(Joined::Ended(code));
        }
    }
}

/// Asks the agent of which product a lease is, which must be held and open to who asks; none if
/// nobody can say, which does not hold up the command.
async fn of_product(
    agent: &Client,
    lease: &str,
    proof: Option<&str>,
    context: &Context,
) -> Result<Option<String>, Failure> {
    let path = format!("/v1/agents/leases/{}", escaped(lease));
    let proof = proof.filter(|proof| proof.bytes().all(|b| b.is_ascii_alphanumeric()));
    let held: Result<HeldLease, ClientError> = match proof {
        Some(proof) => agent.get_showing(&path, LEASE_PROOF_HEADER, proof).await,
        None => agent.get(&path).await,
    };
    match held {
        Ok(held) => Ok(Some(held.product)),
        Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
            // It may be of who shows a token.
            match ask(&context.client()?, lease, proof).await {
                Ok(product) => Ok(Some(product)),
                Err(_) => Err(not_held(problem.detail)),
            }
        }
        // An agent of the version before, or a server that is away.
        Err(_) => Ok(ask(&context.client()?, lease, proof).await.ok()),
    }
}

/// Refuses to join a lease that the server says is none. Where it does not answer, the command is
/// not held up: who keeps the lease learns of it.
async fn must_be_held(client: &Client, lease: &str, proof: Option<&str>) -> Result<(), Failure> {
    match ask(client, lease, proof).await {
        Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
            Err(not_held(format!(
                "lease {lease} has ended, never was, or is somebody else's and its proof was not \
                 shown"
            )))
        }
        _ => Ok(()),
    }
}

/// Asks the server of which product a lease is: by its proof, or else by a renewal, which only its
/// own person can make.
async fn ask(client: &Client, lease: &str, proof: Option<&str>) -> Result<String, ClientError> {
    let lease = escaped(lease);
    if let Some(proof) = proof.filter(|proof| proof.bytes().all(|b| b.is_ascii_alphanumeric())) {
        let path = format!("/v1/agents/leases/{lease}");
        let held = client.get_showing::<HeldLease>(&path, LEASE_PROOF_HEADER, proof);
        if let Ok(held) = held.await {
            return Ok(held.product);
        }
    }
    let path = format!("/v1/leases/{lease}/renew");
    let renewed: Lease = client.post_empty(&path).await?;
    Ok(renewed.product)
}

fn not_held(why: String) -> Failure {
    Failure::new(exit::REFUSED, why).next(
        "`usher leases` shows yours; another's is joined with its proof, USHER_LEASE_PROOF in the \
         environment of what runs on it. Without --lease a seat of its own is taken.",
    )
}

/// Tells the agent that a process, and so all that it starts, is covered by the lease; whether it
/// `keeps` it, so that the agent gives it back where the last process that does has ended.
async fn cover(
    agent: &Client,
    lease: &str,
    product: &str,
    proof: Option<&str>,
    keeps: bool,
    pid: u32,
) -> Result<(), ClientError> {
    let mut request = CoverRequest {
        lease: Cow::Borrowed(lease),
        product: Cow::Borrowed(product),
        pid,
        proof: proof.map(Cow::Borrowed),
        keeps,
    };
    match agent.tell("/v1/covers", &request).await {
        // An agent of the version before knows no proofs.
        Err(ClientError::Problem(problem))
            if problem.is(Code::InvalidRequest) && proof.is_some() =>
        {
            request.proof = None;
            agent.tell("/v1/covers", &request).await
        }
        told => told,
    }
}

/// Tells the agent the same of a lease that this process keeps.
pub(super) async fn covers(agent: &Client, lease: &Lease) -> Result<(), ClientError> {
    keeps(agent, lease, std::process::id()).await
}

/// Tells the agent that the command keeps the lease, too: should this process be killed, the agent
/// renews the lease until the command has ended. An agent that does not take it gives the lease back
/// when this process has ended, as it does without.
pub(super) async fn stays_with(agent: &Client, lease: &Lease, command: u32) {
    let _ = keeps(agent, lease, command).await;
}

/// The same of each lease that is held with it: these are renewed and given back as one.
async fn keeps(agent: &Client, lease: &Lease, pid: u32) -> Result<(), ClientError> {
    let proof = lease.proof.as_deref();
    cover(agent, &lease.id, &lease.product, proof, true, pid).await?;
    for other in &lease.also {
        if let Some(id) = &other.lease {
            cover(agent, id, &other.product, None, true, pid).await?;
        }
    }
    Ok(())
}

pub(super) fn say_uncovered(covered: Result<(), ClientError>) {
    if let Err(error) = covered {
        eprintln_quiet(&format!(
            "usher: the agent does not know of this seat and may take a second one: {error}"
        ));
    }
}
