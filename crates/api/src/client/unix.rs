//! A local socket is a Unix socket.

use std::path::Path;

/// Where every program finds the agent of the computer, when it runs for all accounts.
pub const AGENT_SOCKET: &str = "/run/usher/agent.sock";

/// Has all connections of a client go by the socket at `path`.
pub(super) fn through(builder: reqwest::ClientBuilder, path: &Path) -> reqwest::ClientBuilder {
    builder.unix_socket(path)
}
