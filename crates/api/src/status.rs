//! The status and health of a server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::away::Listener;

/// `GET /v1/status`: the server, its products and its computers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The server.
    pub server: ServerStatus,
    /// Its products, with their counts.
    pub products: Vec<ProductStatus>,
    /// Computers whose agents report to it.
    #[serde(default)]
    pub computers: Vec<ComputerStatus>,
}

/// The server in `GET /v1/status`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServerStatus {
    /// The server's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The state of the service (as in `GET /v1/service`), or `degraded`: it runs, but does not
    /// serve as it should.
    pub state: String,
    /// Since when it has been in that state.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Why it is degraded, or what a pending state waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Why it answers but grants nothing now; null if it grants.
    #[serde(default)]
    pub grants_nothing: Option<GrantsNothing>,
    /// The pack; null for clients and agents.
    pub pack: Option<crate::Pack>,
    /// How this version came to serve the data; null for tokens that may not see everything.
    #[serde(default)]
    pub upgrade: Option<UpgradeStatus>,
    /// When a complete copy of the data was last fetched (`usher backup`); the server's own
    /// snapshots do not count. Null if there was none, and for clients and agents.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_backup_at: Option<Timestamp>,
    /// Faults of the server's own process; none for clients and agents.
    #[serde(default)]
    pub faults: crate::Faults,
    /// A write-ahead log of more than 64 MiB whose checkpoint a reader prevents; null: none.
    #[serde(default)]
    pub held_log: Option<crate::HeldLog>,
}

/// How a version came to serve the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpgradeStatus {
    /// The version that served it before; null if this is the first.
    pub from: Option<String>,
    /// Since when this one serves it.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When this version's first scheduled pack was done. Until then the old version can take the
    /// data back (`usher upgrade --back`).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub packed_at: Option<Timestamp>,
}

/// A copy of the data that the server keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// The file's name in the folder `snapshots` of the data directory.
    pub name: String,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    pub taken_at: Timestamp,
    /// What it was taken before: `before-pack` or `before-upgrade`.
    pub reason: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
}

/// A product in `GET /v1/status`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProductStatus {
    /// Product id.
    pub id: String,
    /// Title, for people.
    pub name: String,
    /// Seats that may be in use now, overdraft included.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
    /// Seats in use that are only kept for somebody's next start.
    #[serde(default, skip_serializing_if = "is_none")]
    pub kept: u64,
    /// Programs that run without a seat (tracking, lost leases).
    pub unseated: u64,
    /// Requests that wait.
    pub queued: u64,
    /// Refused checkouts of the last 24 hours, repeats counted.
    pub denied_last_24h: u64,
    /// Since when the oldest lease has been held; null if there is none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_since: Option<Timestamp>,
    /// Since when the oldest request has waited; null if there is none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_since: Option<Timestamp>,
}

fn is_none(kept: &u64) -> bool {
    *kept == 0
}

/// A computer whose agent reports to the server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ComputerStatus {
    /// The id that its agent made.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// How its agent sees programs.
    pub watching: Watching,
    /// When it last reported.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// The last report may have been up to so many seconds later: after a restart a server knows
    /// only the hour. 0: the time is exact.
    #[serde(default, skip_serializing_if = "is_exact")]
    pub last_seen_within_seconds: u32,
    /// Why no start is refused on it, if enforcement is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement_off: Option<String>,
    /// How many programs run on it without a seat because the agent gave it back (`on_idle`). They
    /// count neither as in use nor as unseated.
    #[serde(default)]
    pub released: u32,
    /// Warnings for administrators, such as a name that two computers have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

fn is_exact(within_seconds: &u32) -> bool {
    *within_seconds == 0
}

/// How an agent sees programs start and end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watching {
    /// By a program in the kernel (eBPF): the agent sees every start, at almost no cost.
    Ebpf,
    /// By the kernel's process events: the agent sees every start.
    KernelEvents,
    /// By polling the list of processes: the agent misses short runs.
    #[default]
    Polling,
}

/// `POST /v1/canary`: whether the server can grant seats.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Canary {
    /// Whether it got a seat and gave it back, with both on disk.
    pub seated: bool,
    /// Why it got no seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How long the canary took, in seconds.
    pub took_seconds: f64,
    /// Why nobody else gets a seat now; left out if seats are granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants_nothing: Option<GrantsNothing>,
}

/// `GET /v1/health`: whether the server can serve.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`; `degraded` if it serves and grants nothing for a while; `unable`, with 503, if
    /// it cannot serve.
    pub status: String,
    /// The role that answers: `server` or `manager`. An earlier version does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Why it is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Why it answers but grants nothing now; left out if it grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants_nothing: Option<GrantsNothing>,
    /// Whether this manager leads its site: the one that does polls servers, delivers messages and takes
    /// changes. Left out by servers, and by managers of earlier versions, which always do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads: Option<bool>,
    /// The manager that leads the site, if several share it and one is known to lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<SiteLeader>,
}

/// The manager that leads a site which several managers share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteLeader {
    /// The name of its computer.
    pub computer: String,
    /// The URL of its console and its API.
    pub url: String,
    /// Since when it leads, on the clock of the site database.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

impl Health {
    /// Whether the answer comes from that role; none: an earlier version does not tell.
    pub fn is_of(&self, listener: Listener) -> Option<bool> {
        let role = self.role.as_deref()?;
        Some(role == listener.name())
    }
}

/// Why a server that answers grants nothing. Leases are still renewed and given back, as far
/// as its disk allows, and requests keep their places in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantsNothing {
    /// Why it grants nothing.
    pub reason: Withheld,
    /// The same in words, with what ends it.
    pub why: String,
    /// When it will grant again, by an estimate; null if that is not known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// The kind of reason for which a server grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// Somebody paused it.
    Paused,
    /// It was restored from a backup: leases that were granted after the backup may be in use.
    Restored,
    /// It cannot write to its disk, or its file is gone.
    Storage,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_a_later_version_is_read_as_one_that_is_not_known() {
        let read = |text: &str| serde_json::from_str::<Withheld>(text).unwrap();
        assert_eq!(read("\"restored\""), Withheld::Restored);
        assert_eq!(read("\"tired\""), Withheld::Other);
    }
}
