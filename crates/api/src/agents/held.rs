//! What a server says about a lease to somebody who wants to join it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The header of `GET /v1/agents/leases/{id}` that shows the lease's proof.
pub const LEASE_PROOF_HEADER: &str = "usher-lease-proof";

/// 200 of `GET /v1/agents/leases/{id}`: what a lease is of, and whether who asks may join it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldLease {
    /// Product id.
    pub product: String,
    /// Seats held.
    pub seats: u32,
    /// Whether the proof that was shown is right: then whoever showed it may join.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proven: bool,
    /// Who holds it, and so may join it without a proof; told only if it is of the computer that
    /// asks, or if who asks sees everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<LeaseHolder>,
    /// What was granted in one ask with it: who may join the one may join these, by the same proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<HeldAlso>,
}

/// A lease that was granted in one ask with another.
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
