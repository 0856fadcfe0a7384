//! Whether a lease that was named, or that the environment holds, is held, and of which product it
//! is.

use usher_api::client::{Client, ClientError};
use usher_api::{Code, HeldLease, LEASE_PROOF_HEADER, Lease};

use super::bounds::SILENCE;
use crate::listing::escaped;

/// What is known of a lease.
#[derive(Debug)]
pub(super) enum Held {
    /// It is held, the user may join it, and it is of that product.
    Of(String),
    /// It is not held, or the user may not join it; why.
    Not(String),
    /// It is not known now; why.
    NotKnown(String),
}

/// Asks the agent, if there is one, and the server of which product a lease is; it must be held,
/// and the user must be allowed to join it.
pub(super) async fn held(
    agent: Option<&Client>,
    server: &Client,
    lease: &str,
    proof: Option<&str>,
) -> Held {
    let server = &server.clone().within(SILENCE);
    if let Some(agent) = agent {
        match by_proof(agent, lease, proof).await {
            Ok(held) => return Held::Of(held.product),
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => {
                // It may be of who shows a token.
                return match at_server(server, lease, proof).await {
                    Ok(product) => Held::Of(product),
                    Err(_) => Held::Not(problem.detail),
                };
            }
            // An agent of the version before, or a server that is away.
            Err(_) => {}
        }
    }
    match at_server(server, lease, proof).await {
        Ok(product) => Held::Of(product),
        Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => Held::Not(format!(
            "lease {lease} has ended, never was, or is somebody else's and its proof was not shown"
        )),
        // What it says to do is for programs.
        Err(ClientError::Problem(problem)) => {
            let why = problem.detail.split(": ").next().unwrap_or_default();
            Held::NotKnown(why.to_owned())
        }
        Err(error) => Held::NotKnown(error.to_string()),
    }
}

/// Asks the server: with the proof, or else by a renewal, which only the lease's own user can make.
async fn at_server(
    server: &Client,
    lease: &str,
    proof: Option<&str>,
) -> Result<String, ClientError> {
    if proof.is_some_and(is_proof)
        && let Ok(held) = by_proof(server, lease, proof).await
    {
        return Ok(held.product);
    }
    let path = format!("/v1/leases/{}/renew", escaped(lease));
    let renewed: Lease = server.post_empty(&path).await?;
    Ok(renewed.product)
}

/// Asks for the lease, showing the proof if it can be one.
async fn by_proof(
    client: &Client,
    lease: &str,
    proof: Option<&str>,
) -> Result<HeldLease, ClientError> {
    let path = format!("/v1/agents/leases/{}", escaped(lease));
    match proof.filter(|proof| is_proof(proof)) {
        Some(proof) => client.get_showing(&path, LEASE_PROOF_HEADER, proof).await,
        None => client.get(&path).await,
    }
}

/// Whether it can be sent in a header.
fn is_proof(proof: &str) -> bool {
    !proof.is_empty() && proof.bytes().all(|b| b.is_ascii_alphanumeric())
}
