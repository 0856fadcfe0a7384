//! What a server tells somebody who wants to join a lease.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The header of `GET /v1/agents/leases/{id}` that shows the lease's proof.
pub const LEASE_PROOF_HEADER: &str = "usher-lease-proof";

/// 200 of `GET /v1/agents/leases/{id}`: what a lease is for, and whether the requester may join it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldLease {
    /// Product id.
    pub product: String,
    /// Seats held.
    pub seats: u32,
    /// Whether the request showed the right proof: then the requester may join.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proven: bool,
    /// The holder, who may join it without a proof. Shown only if the lease is of the computer that
    /// asks, or if the token may see everybody's leases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LeaseHolder>,
    /// The leases that were granted with it in one request: whoever may join this one may join
    /// these, with the same proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<HeldAlso>,
}

/// A lease that was granted with another in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldAlso {
    /// Lease id.
    pub lease: String,
    /// Product id.
    pub product: String,
}

/// The person who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseHolder {
    /// The realm of the account.
    pub authority: String,
    /// The account.
    pub name: String,
}
