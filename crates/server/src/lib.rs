//! usher-server: the metering server, HTTP in front of the ledger and the store.
//!
//! It carries: a request is checked once at the edge, becomes a command, and the ledger's durable
//! answer becomes an HTTP answer. Nothing is answered that is not on disk. Connections are spread
//! over one loop for each core; requests and answers of a loop's turn travel together.
//!
//! Its folders are floors, each of which uses only those before it: `base`, `secrets`, `wire`,
//! `access`, `engine`, `upkeep`, `state`, `routes`, `net`; `serve` stands on all of them, and nothing
//! uses it.

#![forbid(unsafe_code)]

mod access;
mod base;
mod engine;
mod net;
mod routes;
mod secrets;
mod serve;
mod state;
mod upkeep;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use serve::{run_under, run_until};
pub use upkeep::lifecycle::{EXIT_STANDSTILL, EXIT_STOP};
pub use usher_core::people::LocalAccounts;
pub use usher_tls::ServerFiles as TlsFiles;

/// The options of a metering server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Its data directory: `cache.db`, `admin.token`, the lock.
    pub data: PathBuf,
    /// The address to listen on; port 0 picks a free port.
    pub listen: SocketAddr,
    /// Certificate chain and key (PEM files) for TLS.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is explicitly allowed on addresses other than loopback.
    pub plain_http: bool,
    /// Whether to begin with an empty data file if the former one is gone; must be said explicitly.
    pub begin_anew: bool,
    /// For how many days, at least 1, ended leases, sessions and refusals are kept; the next pack
    /// removes older ones.
    pub keep_days: u32,
    /// How many snapshots of the data are kept; one is taken before each scheduled pack. 0: none
    /// are taken.
    pub keep_snapshots: u32,
    /// Whether local accounts with the same name on several computers are one person.
    pub local_accounts: LocalAccounts,
}

/// Takes an address to listen on.
///
/// # Errors
/// It cannot be had: says why, and what to do.
pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ServerError> {
    serve::listen(address)
}

/// Why a server could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The options are not valid (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// Starting or serving failed (exit code 1).
    #[error("{0}")]
    Failed(String),
}

/// Work to do before the data is touched, such as the rehearsal of a new version. It gets a
/// function that reports how many of its steps are left; its error says why this server must not
/// start.
pub type Prepare = Box<dyn FnOnce(&dyn Fn(u64)) -> Result<(), String> + Send>;

/// What the operating system's service manager gives a server, if one started it.
#[derive(Default)]
pub struct Managed {
    /// A listener that is already bound, such as a systemd socket: connections survive a restart in
    /// it.
    pub listener: Option<std::net::TcpListener>,
    /// The service manager to report the state to.
    pub manager: Option<std::sync::Arc<dyn usher_core::lifecycle::ServiceManager>>,
    /// Work to do before the data is touched; if it fails, the data stays untouched.
    pub prepare: Option<Prepare>,
}

/// Serves until SIGTERM or SIGINT. Calls `ready` with the address that it got once requests are
/// answered; answers what is in flight before it returns.
pub fn run(
    options: ServerOptions,
    managed: Managed,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<(), ServerError> {
    serve::run_under(options, managed, ready, serve::told_to_stop())
}
