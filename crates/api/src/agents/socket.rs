//! What the local socket of an agent is asked and answers.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Lease, Watching};

/// `POST /v1/covers` on an agent's local socket: a lease covers what a process starts. Only a
/// lease that the server says is held, and of that product, covers anything, and only for its own
/// person or who shows its proof.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverRequest<'a> {
    /// The lease that covers it.
    #[serde(borrow)]
    pub lease: Cow<'a, str>,
    /// The product of the lease.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// The process whose tree is covered; it must belong to who asks.
    pub pid: u32,
    /// The lease's proof, if it is not the lease of who asks.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Cow<'a, str>>,
    /// Whether that process keeps the lease: then its end is the lease's, however it ends.
    #[serde(default)]
    pub keeps: bool,
}

/// `POST /v1/identify` on an agent's local socket: which product would this be?
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifyRequest<'a> {
    /// Absolute path of the executable.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
}

/// 200 of `POST /v1/identify`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IdentifyAnswer {
    /// The product; null if no rule matches.
    pub product: Option<String>,
    /// The rule that matched.
    pub rule: Option<String>,
}

/// `GET /v1/agent` on an agent's local socket.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgentStatus {
    /// The id that it made for this computer.
    pub computer: String,
    /// How it sees programs.
    pub watching: Watching,
    /// What it can miss, in words.
    pub can_miss: Vec<String>,
    /// The metering server.
    pub server: String,
    /// Whether the last exchange with it succeeded.
    pub connected: bool,
    /// Why the last exchange failed, with the cure; null if it succeeded, and from an agent of a
    /// version that does not tell.
    #[serde(default)]
    pub not_connected: Option<String>,
    /// Items on disk that the server does not have yet.
    pub outbox: u64,
    /// Sessions that run now.
    pub sessions: u64,
    /// Leases of sessions that run now.
    pub leases: Vec<Lease>,
    /// Sessions that run without a seat because nobody used them and it was given back.
    #[serde(default)]
    pub released: Vec<ReleasedSession>,
    /// Whether programs are refused on this computer; null from an agent that refuses none.
    #[serde(default)]
    pub enforcement: Option<EnforcementStatus>,
    /// The file systems that its gate holds starts on, and those that it could not; null if no
    /// gate runs.
    #[serde(default)]
    pub marks: Option<Vec<MountMark>>,
    /// How its gate is; null from an agent of a version that does not tell.
    #[serde(default)]
    pub gate: Option<GateStatus>,
    /// Whose accounts it takes for people of a directory; null from an agent of a version that
    /// does not tell.
    #[serde(default)]
    pub people: Option<PeopleStatus>,
}

/// Which directories the accounts of a computer are of. Accounts of any other are the computer's
/// own: whoever has one there is another person on another computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeopleStatus {
    /// The computer's name services besides its own files, in the order in which they are asked.
    pub services: Vec<String>,
    /// Realms of name services, and of domains in names.
    pub realms: Vec<ServiceRealm>,
}

/// The realm of a name service's accounts, or of a domain that stands in names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceRealm {
    /// The service or domain.
    pub name: String,
    /// The realm.
    pub realm: String,
}

/// How an agent's gate is, which holds the starts of enforced products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GateStatus {
    /// There is something to hold: a product is enforced, and enforcement is on.
    pub wanted: bool,
    /// It serves.
    pub serving: bool,
    /// Why it does not, although it is wanted; null: it does, or is about to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// File systems on which it holds starts.
    pub file_systems: u32,
    /// Its guard stands outside the agent's control group. If it does not, who freezes that
    /// group holds up every start on the computer until it is thawed.
    pub guard_stands_apart: bool,
}

/// A session whose seat was given back because nobody used it (`on_idle`); its programs run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedSession {
    /// Product id.
    pub product: String,
    /// Whose it is, for people.
    pub user: String,
    /// Since when it has no seat.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// A mount that an agent's gate holds starts on, or could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MountMark {
    /// Where it is mounted.
    pub path: String,
    /// Its type, as `ext4`.
    pub fs_type: String,
    /// Why starts from it are not held; null: they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// Whether programs are refused on a computer if no seat is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnforcementStatus {
    /// Products in mode `enforce` are enforced.
    pub on: bool,
    /// Why they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_off: Option<String>,
}

/// `PUT /v1/enforcement` on an agent's local socket, by the computer's administrator.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnforcementRequest {
    /// Products in mode `enforce` are to be enforced on this computer.
    pub on: bool,
}
