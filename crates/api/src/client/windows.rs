//! A local socket is a named pipe, called `\\.\pipe\NAME`.

use std::path::Path;

/// Where every program finds the agent of the computer, when it runs for all accounts.
pub const AGENT_SOCKET: &str = r"\\.\pipe\usher-agent";

/// Has all connections of a client go by the pipe at `path`.
pub(super) fn through(builder: reqwest::ClientBuilder, path: &Path) -> reqwest::ClientBuilder {
    builder.windows_named_pipe(path)
}
