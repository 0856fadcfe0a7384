//! Requests to the local socket of an agent, and their answers.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Lease, Watching};

/// `POST /v1/covers` on an agent's local socket: a lease covers what a process starts. The server
/// must confirm that the lease is held and is for that product, and the requester must be its
/// holder or show its proof.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverRequest<'a> {
    /// The lease that covers it.
    #[serde(borrow)]
    pub lease: Cow<'a, str>,
    /// The product of the lease.
    #[serde(borrow)]
    pub product: Cow<'a, str>,
    /// The process whose tree is covered; it must belong to the requester.
    pub pid: u32,
    /// The lease's proof, if the requester is not its holder.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Cow<'a, str>>,
    /// Whether that process keeps the lease: then the lease ends with the process, however that
    /// ends.
    #[serde(default)]
    pub keeps: bool,
}

/// `POST /v1/identify` on an agent's local socket: asks which product a program is.
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

/// `GET /v1/agent` on an agent's local socket: the agent's status.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgentStatus {
    /// The id that the agent made for this computer.
    pub computer: String,
    /// How it sees programs.
    pub watching: Watching,
    /// What it can miss in this way, in words.
    pub can_miss: Vec<String>,
    /// The URL of its metering server.
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
    /// Sessions that run without a seat because the agent gave it back (`on_idle`).
    #[serde(default)]
    pub released: Vec<ReleasedSession>,
    /// Whether programs are refused on this computer; null from an agent that refuses none.
    #[serde(default)]
    pub enforcement: Option<EnforcementStatus>,
    /// The file systems on which its gate holds starts, and those on which it cannot; null if no
    /// gate runs.
    #[serde(default)]
    pub marks: Option<Vec<MountMark>>,
    /// The state of its gate; null from an agent of a version that does not tell.
    #[serde(default)]
    pub gate: Option<GateStatus>,
    /// The directories that it assigns accounts to; null from an agent of a version that does not
    /// tell.
    #[serde(default)]
    pub people: Option<PeopleStatus>,
}

/// Which directories the accounts of a computer belong to. All other accounts are the computer's
/// own: the same name on another computer is another person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeopleStatus {
    /// The computer's name services besides its own files, in the order in which they are asked.
    pub services: Vec<String>,
    /// Realms of name services, and of domains in names.
    pub realms: Vec<ServiceRealm>,
}

/// The realm of a name service's accounts, or of a domain in account names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceRealm {
    /// The service or domain.
    pub name: String,
    /// The realm of its accounts.
    pub realm: String,
}

/// The state of an agent's gate, which holds the starts of enforced products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GateStatus {
    /// Whether a gate is needed: a product is enforced, and enforcement is on.
    pub wanted: bool,
    /// Whether the gate runs and holds starts.
    pub serving: bool,
    /// Why it does not although it is needed; null: it does, or is about to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// How many file systems it holds starts on.
    pub file_systems: u32,
    /// Whether the gate's guard runs outside the agent's control group. If it does not, freezing
    /// that group holds up every start on the computer until it is thawed.
    pub guard_stands_apart: bool,
}

/// A session whose seat was given back because nobody used it (`on_idle`); its programs run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedSession {
    /// Product id.
    pub product: String,
    /// The name of the user.
    pub user: String,
    /// Since when it has had no seat.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// A mount on which an agent's gate holds starts, or cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MountMark {
    /// The mount point.
    pub path: String,
    /// The type of its file system, such as `ext4`.
    pub fs_type: String,
    /// Why starts from it are not held; null: they are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// Whether programs are refused on a computer if no seat is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnforcementStatus {
    /// Whether products in mode `enforce` are enforced.
    pub on: bool,
    /// Why they are not; null: they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_off: Option<String>,
}

/// `PUT /v1/enforcement` on an agent's local socket, by the computer's administrator.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnforcementRequest {
    /// Whether to enforce products in mode `enforce` on this computer.
    pub on: bool,
}
