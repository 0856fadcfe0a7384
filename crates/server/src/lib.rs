//! usher-server: the metering server, HTTP in front of the ledger and the cache.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How a metering server is to run.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Its data directory: `cache.db`, `admin.token`, the lock.
    pub data: PathBuf,
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Certificate chain and key (PEM files) for TLS.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP beyond loopback was said aloud.
    pub plain_http: bool,
    /// The account to become, as root, once what needs root is done.
    pub run_as: Option<String>,
}

/// PEM files for TLS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Why a server could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The options cannot be used (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// Starting or serving failed (exit code 1).
    #[error("{0}")]
    Failed(String),
}

/// Serves until SIGTERM or SIGINT. Calls `ready` with the address that it got once requests are
/// answered; answers what is in flight before it returns.
pub fn run(
    options: ServerOptions,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<(), ServerError> {
    let _ = (options, ready);
    Err(ServerError::Failed("not built yet".to_owned()))
}
