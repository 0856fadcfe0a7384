//! What a server answers to an agent in an exchange.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{KnownProduct, Product, Reason};

/// 200 of `POST /v1/agents/sync`. All of it is on disk.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncAnswer {
    /// The server's id. If it changes, the agent asks for its sessions again.
    pub server: String,
    /// The incarnation (life) of the server's data; a restore begins a new one. Items that were
    /// acknowledged in a former life may be lost; `before` says how many are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// How far the agent's items were on disk before this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<SyncMark>,
    /// The highest sequence number that is on disk: items up to it need not be sent again.
    pub acknowledged: u64,
    /// The outcome of each item, in order.
    pub results: Vec<SyncResult>,
    /// The whole policy, if it is newer than the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The key that the server signs its policies with: 64 hexadecimal digits (Ed25519).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_key: Option<String>,
    /// The signature of `policy`, as it stands in this answer: 128 hexadecimal digits, over the
    /// line `usher policy 1` and the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_signature: Option<String>,
}

/// The bytes that a server signs for the policy text `policy`. No other signed text may ever begin
/// like them.
pub fn policy_message(policy: &str) -> Vec<u8> {
    [b"usher policy 1\n", policy.as_bytes()].concat()
}

/// How far an agent's items are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncMark {
    /// The agent's incarnation; 0 if it never reported.
    pub incarnation: u64,
    /// The highest sequence number of that incarnation.
    pub sequence: u64,
}

/// The outcome of one item.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncResult {
    /// The sequence number of the item.
    pub sequence: u64,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: SyncOutcome,
}

/// What became of an item. An item that was applied before is answered from the state as it is,
/// and decides nothing: a refused session that has no seat is `denied` for as long as its refusal
/// may repeat, a minute, and `unknown_session` then. Only an item with a new number asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SyncOutcome {
    /// The session has a lease.
    Granted {
        /// Lease id.
        lease: String,
        /// Seconds from this answer on that it lives without renewal.
        ttl_seconds: u32,
    },
    /// The session runs without a seat.
    Unseated {
        /// Why it got no seat.
        reason: Reason,
        /// Nothing was decided: the server is paused or was restored, and grants nothing for now.
        /// The agent should ask for the session again later.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undecided: bool,
    },
    /// The lease, or the entry as unseated, was renewed.
    Renewed {
        /// Seconds from this answer on that it lives without renewal.
        ttl_seconds: u32,
    },
    /// The item is recorded.
    Done,
    /// The server does not, or no longer, know the session: ask for it again.
    UnknownSession,
    /// The server has no such product.
    UnknownProduct,
    /// The session asked with `gate` and has no seat: its program must not run. A session that
    /// was unseated before stays so.
    Denied {
        /// Why the start was refused.
        reason: Reason,
        /// The id of the decision, which `usher why` takes.
        decision_id: String,
        /// The reason in words, and what to do.
        detail: String,
    },
    /// The session asked with `gate`, and the server grants nothing for now (it is paused, or was
    /// restored): nothing was decided. The agent follows the product's `on_unreachable`.
    Undecided,
    /// The item cannot be understood; do not send it again.
    Rejected {
        /// What is wrong with the item, in a sentence.
        detail: String,
    },
}

/// The policy that agents follow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// The version, which grows with each change.
    pub version: u64,
    /// All products. Fields of later versions are ignored.
    #[serde(deserialize_with = "as_far_as_known")]
    pub products: Vec<Product>,
}

fn as_far_as_known<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Product>, D::Error> {
    let known = Vec::<KnownProduct>::deserialize(from)?;
    Ok(known.into_iter().map(|known| known.product).collect())
}
