//! `GET /v1/facts`: what a manager goes by when it looks for what will soon be trouble.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Computers in one answer at the most: those that are silent longest, and those that had no
/// server.
pub const FACTS_COMPUTERS_LIMIT: usize = 1_000;

/// Facts about a server and what it serves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Facts {
    /// When they were so, by the server's clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Memory of the server's process that lies in RAM; null if it cannot be told.
    pub resident_bytes: Option<u64>,
    /// Requests that were answered since the server was started.
    pub answered_requests: u64,
    /// The disk of the data directory; null if it cannot be told.
    pub disk: Option<DiskFacts>,
    /// Backups of the data.
    pub backup: BackupFacts,
    /// Entitlements that end; at most 1,000, the one first whose end or notice is the next.
    pub ending_entitlements: Vec<EndingEntitlement>,
    /// Products with seats; at most 1,000.
    pub products: Vec<ProductFacts>,
    /// How many computers have an agent.
    pub computers: u64,
    /// Those computers of which something is worth saying: at most 1,000, the most silent first.
    pub agents: Vec<AgentFacts>,
    /// Rules whose programs are started still and match no more; at most 100.
    pub quiet_rules: Vec<QuietRule>,
    /// How the version that serves came to; null if the server does not tell.
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
    /// A write-ahead log of more than 64 MiB that a reader keeps from being taken in; null: none.
    #[serde(default)]
    pub held_log: Option<crate::HeldLog>,
    /// Agents and clients that were turned away at the door within the last hour, the last first.
    #[serde(default)]
    pub turned_away: Vec<TurnedAway>,
}

/// Agents whose token is not taken, or clients that do not trust the server's certificate, at one
/// address.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TurnedAway {
    /// Where they asked from.
    pub address: String,
    /// What they were told, or what they found, the last time.
    pub why: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When one was last turned away.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// How often one was turned away.
    pub times: u64,
    /// Why, each reason of the last ones once, the last first: many may be behind one address.
    #[serde(default)]
    pub reasons: Vec<TurnedAwayReason>,
}

/// One reason for which somebody at an address was turned away.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TurnedAwayReason {
    /// What they were told, or what they found.
    pub why: String,
    /// When it first happened for this reason.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When one was last turned away.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// How often one was turned away.
    pub times: u64,
    /// The ids of the computers whose agents they are, the first 32: those of a token that is or
    /// was an agent's here. Who shows a token that was never known cannot be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub computers: Vec<String>,
}

/// A disk.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DiskFacts {
    /// What the server may still fill.
    pub free_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
}

/// Backups.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BackupFacts {
    /// When one was last fetched whole; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_at: Option<Timestamp>,
    /// Since when there is anything to back up.
    #[schema(value_type = String, format = DateTime)]
    pub data_since: Timestamp,
}

/// An entitlement that ends.
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
    /// The first instant at which it is valid no more.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// The last day on which it is valid, if its end was given as a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<String>,
    /// Seats of the product just before, without those that began within the week before to take
    /// over.
    pub seats_before: u64,
    /// Seats of the product from then on, with those that begin within a day to take over.
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
    /// Checkouts that were refused for want of a seat within the last hour, repeats counted.
    pub refused_last_hour: u64,
}

/// A computer with an agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgentFacts {
    /// The id that its agent made.
    pub id: String,
    /// Its name, as it says.
    pub name: String,
    /// When it last reported.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// What it allowed when it last had no server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<UnreachedStarts>,
    /// The last end of its agent by a panic, if it was within a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<crate::EndedByPanic>,
    /// Panics that ended requests or items of its agent alone, if the last was within a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caught: Option<crate::CaughtPanics>,
}

/// Starts of products that an agent allowed in one stretch of time in which it could reach no
/// server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnreachedStarts {
    /// How many starts were allowed without a server.
    pub starts: u64,
    /// The first of them.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// The last of them.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// Products that were started; the first five.
    pub products: Vec<String>,
}

/// A rule that no longer matches what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuietRule {
    /// Product id.
    pub product: String,
    /// The rule; several, with commas, if it cannot be told which.
    pub rule: String,
    /// The program that it matched, by file name.
    pub program: String,
    /// When it last did.
    #[schema(value_type = String, format = DateTime)]
    pub last_matched_at: Timestamp,
    /// The program of no product that is started since on computers where that one was.
    pub seen_as: String,
    /// On how many of them.
    pub computers: u64,
    /// When that was seen first.
    #[schema(value_type = String, format = DateTime)]
    pub seen_since: Timestamp,
}
