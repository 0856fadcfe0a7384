//! `GET /v1/facts`: the facts from which a manager predicts trouble.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The largest number of computers in one answer: those that are silent longest, and those that
/// could not reach the server.
pub const FACTS_COMPUTERS_LIMIT: usize = 1_000;

/// Facts about a server and what it serves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Facts {
    /// When these facts were true, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The resident memory of the server's process, in bytes; null if the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Requests that the server has answered since its start.
    pub answered_requests: u64,
    /// The disk of the data directory; null if the system does not tell.
    pub disk: Option<DiskFacts>,
    /// Backups of the data.
    pub backup: BackupFacts,
    /// Entitlements that have an end; at most 1,000, ordered by the next end or notice.
    pub ending_entitlements: Vec<EndingEntitlement>,
    /// Products with seats; at most 1,000.
    pub products: Vec<ProductFacts>,
    /// How many products there are beyond these.
    #[serde(default)]
    pub products_left_out: u64,
    /// How many computers have an agent.
    pub computers: u64,
    /// Computers about which there is something to report; at most 1,000, the longest silent first.
    pub agents: Vec<AgentFacts>,
    /// Rules that no longer match although their programs are probably still started; at most 100.
    pub quiet_rules: Vec<QuietRule>,
    /// How this version came to serve the data; null if the server does not tell.
    #[serde(default)]
    pub upgrade: Option<crate::UpgradeStatus>,
    /// Since when it is paused, and grants nothing; null: it is not.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_since: Option<Timestamp>,
    /// The version that serves; empty if the server does not tell.
    #[serde(default)]
    pub version: String,
    /// The server's id; empty if the server does not tell.
    #[serde(default)]
    pub server_id: String,
    /// Faults of the server's own process.
    #[serde(default)]
    pub faults: crate::Faults,
    /// A write-ahead log of more than 64 MiB whose checkpoint a reader prevents; null: none.
    #[serde(default)]
    pub held_log: Option<crate::HeldLog>,
    /// Agents and clients that were turned away within the last hour, the latest first.
    #[serde(default)]
    pub turned_away: Vec<TurnedAway>,
}

/// Agents whose token is not accepted, or clients that do not trust the server's certificate, at
/// one address.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TurnedAway {
    /// The address that they connected from.
    pub address: String,
    /// The latest reason: what the server answered, or what the client found.
    pub why: String,
    /// When it first happened.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it last happened.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// How often it happened.
    pub times: u64,
    /// The recent reasons, once each, the latest first; several computers may share one address.
    #[serde(default)]
    pub reasons: Vec<TurnedAwayReason>,
}

/// One reason for which agents or clients at an address were turned away.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TurnedAwayReason {
    /// The reason: what the server answered, or what the client found.
    pub why: String,
    /// When it first happened for this reason.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it last happened.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// How often it happened.
    pub times: u64,
    /// The ids of the computers whose agents these are, at most 32. They are known if the token is
    /// or was an agent's on this server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub computers: Vec<String>,
}

/// The disk of the data directory.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DiskFacts {
    /// Bytes that the server may still fill.
    pub free_bytes: u64,
    /// The size of the disk, in bytes.
    pub total_bytes: u64,
}

/// Backups of the data.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BackupFacts {
    /// When a complete backup was last fetched; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_at: Option<Timestamp>,
    /// Since when there are data to back up.
    #[schema(value_type = String, format = DateTime)]
    pub data_since: Timestamp,
}

/// An entitlement that has an end.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EndingEntitlement {
    /// Entitlement id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// The product's name for people.
    pub name: String,
    /// Its seats, overdraft included.
    pub seats: u64,
    /// The first instant at which it is no longer valid.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// The last day on which it is valid, if its end was given as a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<String>,
    /// Seats of the product just before the end, without entitlements that began within the week
    /// before it to take over.
    pub seats_before: u64,
    /// Seats of the product from the end on, with entitlements that begin within a day after it to
    /// take over.
    pub seats_after: u64,
    /// The name that somebody gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlement_name: Option<String>,
    /// The contract, order or invoice that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// What its seats cost together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<crate::Price>,
    /// Days before its end by which notice is to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u32>,
}

/// A product's seats.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProductFacts {
    /// Product id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Seats that may be in use, overdraft included.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
    /// Requests that wait.
    pub queued: u64,
    /// Checkouts that were refused within the last hour because no seat was free, repeats counted.
    pub refused_last_hour: u64,
    /// Seats in use that are only kept for somebody's next start; null if the server does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<u64>,
    /// Programs that run without a seat; null if the server does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseated: Option<u64>,
}

/// A computer with an agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgentFacts {
    /// The id that its agent made.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// When it last reported.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// Starts that it allowed when it last could reach no server; null: it allowed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<UnreachedStarts>,
    /// The last time that a panic ended its agent, if that was within a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<crate::EndedByPanic>,
    /// Panics that ended only one request or item of its agent, if the last was within a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caught: Option<crate::CaughtPanics>,
}

/// Starts of products that an agent allowed during one period without a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnreachedStarts {
    /// How many starts were allowed without a server.
    pub starts: u64,
    /// When the first of them was.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When the last of them was.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// Products that were started; the first five.
    pub products: Vec<String>,
}

/// A rule that no longer matches the program that it matched before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuietRule {
    /// Product id.
    pub product: String,
    /// The rule; several, separated by commas, if the server cannot tell which.
    pub rule: String,
    /// The program that it matched, by file name.
    pub program: String,
    /// When it last matched.
    #[schema(value_type = String, format = DateTime)]
    pub last_matched_at: Timestamp,
    /// The program of no product that is started since then on the same computers.
    pub seen_as: String,
    /// On how many of these computers it is started.
    pub computers: u64,
    /// When that program was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub seen_since: Timestamp,
}
