//! Telling the agent of this computer which lease covers a command, so that it takes no second seat.

use std::borrow::Cow;

use usher_api::client::{Client, ClientError};
use usher_api::{Code, CoverRequest, Lease};

use crate::listing::eprintln_quiet;

/// Tells the agent that a process, and so all that it starts, is covered by the lease; `keeps`:
/// whether the process keeps the lease, so that the agent gives it back after the last such process
/// has ended.
pub(super) async fn cover(
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

/// Tells the agent the same for a lease that this process keeps.
pub(super) async fn covers(agent: &Client, lease: &Lease) -> Result<(), ClientError> {
    keeps(agent, lease, std::process::id()).await
}

/// Tells the agent that the command keeps the lease, too: if this process is killed, the agent
/// renews the lease until the command has ended. An agent that does not accept this gives the lease
/// back when this process has ended.
pub(super) async fn stays_with(agent: &Client, lease: &Lease, command: u32) {
    let _ = keeps(agent, lease, command).await;
}

/// The same for each lease that is held together with it: these are renewed and given back as one.
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

/// Warns if the agent could not be told of the seat.
pub(super) fn say_uncovered(covered: Result<(), ClientError>) {
    if let Err(error) = covered {
        eprintln_quiet(&format!(
            "usher: the agent does not know of this seat and may take a second one: {error}"
        ));
    }
}
