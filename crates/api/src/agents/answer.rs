//! What a server answers to an agent in an exchange.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{KnownProduct, Product, Reason};

/// 200 of `POST /v1/agents/sync`. All of it is on disk.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncAnswer {
    /// The server's id: when it changes, sessions are to be asked for again.
    pub server: String,
    /// Which life of the server's data answers: another after a restore. What was acknowledged
    /// in a former life may be gone; `before` says how much is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// How far the sender's items were on disk before this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<SyncMark>,
    /// The highest sequence that is on disk: nothing up to it need be sent again.
    pub acknowledged: u64,
    /// What became of each item, in order.
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

/// What a server signs for a policy of the text `policy`: nothing else that it may ever sign
/// begins so.
pub fn policy_message(policy: &str) -> Vec<u8> {
    [b"usher policy 1\n", policy.as_bytes()].concat()
}

/// How far a sender's items are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncMark {
    /// The sender's incarnation; 0 if it never reported.
    pub incarnation: u64,
    /// The highest sequence of it.
    pub sequence: u64,
}

/// What became of an item.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SyncResult {
    /// The item's sequence.
    pub sequence: u64,
    /// What became of it.
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
        /// Why there was no seat.
        reason: Reason,
        /// Nothing was decided: nobody is granted anything for now (the server is paused, or was
        /// restored). The session has lost nothing for good, and is to be asked for again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undecided: bool,
    },
    /// The lease or unseated entry lives on.
    Renewed {
        /// Seconds from this answer on that it lives without renewal.
        ttl_seconds: u32,
    },
    /// It is recorded.
    Done,
    /// The server has no such session (any more): ask again.
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
        /// The same in words, and what to do.
        detail: String,
    },
    /// The session asked with `gate`, and the server grants nothing for now (it is paused, or was
    /// restored): nothing was decided. An agent goes by the product's `on_unreachable`.
    Undecided,
    /// The item cannot be understood; it is not to be sent again.
    Rejected {
        /// What is wrong with the item, in a sentence.
        detail: String,
    },
}

/// What agents go by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Grows with each change.
    pub version: u64,
    /// All products. What a later version says of them is passed over.
    #[serde(deserialize_with = "as_far_as_known")]
    pub products: Vec<Product>,
}

fn as_far_as_known<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Product>, D::Error> {
    let known = Vec::<KnownProduct>::deserialize(from)?;
    Ok(known.into_iter().map(|known| known.product).collect())
}
