//! usher-agent: runs on each computer, sees programs start and end, and tells the metering server.
//!
//! It watches ([`watch`]), identifies ([`identity`]), turns what it sees into sessions (the pure
//! machine of `usher_core::sessions`), keeps them on disk ([`store`]) and exchanges them with the
//! server ([`server`]). Local users reach the server through its socket ([`local`]), under their
//! own account. Tracking refuses nobody: a program without a free seat runs on, unseated.
//!
//! The path of a start is: sighting, identity, product, session. A gate that holds programs before
//! their first instruction asks at the second step, with the same identifier.

#![deny(unsafe_code)]

mod agent;
mod base;
mod gate;
mod identity;
mod local;
mod model;
mod run;
mod server;
mod store;
mod system;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use usher_api::Watching;

pub use gate::GateOptions;
pub use gate::place::aside::entered;
pub use identity::installed::dangers_here;
pub use identity::needed::needed_here;
pub use run::{computer_id, run};
pub use store::enforcement::{ENFORCEMENT_FILE, keep as keep_enforcement, why_switched_off};
pub use system::accounts::Realms;
pub use system::mounts;

/// Where unprivileged programs find the agent of the computer, when it runs as root.
pub const PUBLIC_SOCKET: &str = usher_api::client::AGENT_SOCKET;

/// Where root's agents keep the id of the computer that they share, wherever their data lie.
pub const COMPUTER_ID_FILE: &str = "/var/lib/usher-agent/computer-id";

/// The options of an agent.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// Its data directory: `agent.db`, `agent.sock`, the lock.
    pub data: PathBuf,
    /// The metering server: `http://HOST:PORT` or `https://HOST:PORT`.
    pub server: String,
    /// The agent's token; else it is read from `token_file`.
    pub token: Option<String>,
    /// A file with the agent's token; it is read again, within seconds of a change, while the server
    /// refuses the token, for whatever reason.
    pub token_file: Option<PathBuf>,
    /// A certificate authority to trust besides the system's own (PEM).
    pub ca_file: Option<PathBuf>,
    /// A socket for everyone on the computer, such as [`PUBLIC_SOCKET`], besides the one in the
    /// data directory, which is for its owner.
    pub public_socket: Option<PathBuf>,
    /// How to watch; none: by eBPF if that is allowed, else by the kernel's events, else by
    /// polling.
    pub watching: Option<Watching>,
    /// The computer's name; none: its host name.
    pub computer_name: Option<String>,
    /// The file with the machine id; usually `/etc/machine-id`.
    pub machine_id_file: PathBuf,
    /// How often the server is asked whether the leases of covers are still held.
    pub look_after_covers: Duration,
    /// The gate that holds starts of enforced products; none: nothing is held.
    pub gate: Option<GateOptions>,
    /// The directories that the accounts of its name services belong to.
    pub realms: Realms,
    /// The file with this computer's id, shared by all its agents, wherever their data are; none:
    /// each data directory has an id of its own.
    pub computer_id_file: Option<PathBuf>,
}

impl AgentOptions {
    /// An agent with its state in `data` that reports to `server`.
    pub fn new(data: PathBuf, server: String) -> Self {
        AgentOptions {
            data,
            server,
            token: None,
            token_file: None,
            ca_file: None,
            public_socket: None,
            watching: None,
            computer_name: None,
            machine_id_file: PathBuf::from("/etc/machine-id"),
            look_after_covers: Duration::from_secs(30),
            gate: None,
            realms: Realms::default(),
            computer_id_file: None,
        }
    }
}

/// What an agent reports once it watches.
#[derive(Debug, Clone)]
pub struct AgentReady {
    /// The id of this computer.
    pub computer: String,
    /// How it watches programs.
    pub watching: Watching,
    /// What it can miss, in words.
    pub can_miss: Vec<String>,
    /// The sockets that it listens on.
    pub sockets: Vec<PathBuf>,
    /// Why the first exchange with the server failed, and what to do; none: it succeeded.
    pub not_connected: Option<String>,
}

/// Why an agent could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The options are not valid (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// Starting or running failed (exit code 1).
    #[error("{0}")]
    Failed(String),
}

impl AgentError {
    fn state(error: store::outbox::OutboxError) -> Self {
        AgentError::Failed(error.to_string())
    }
}
