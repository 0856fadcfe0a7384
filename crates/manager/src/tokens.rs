//! The tokens that the manager sends to metering servers.

use std::path::PathBuf;

use usher_api::secret_in;

/// Where a server's token comes from.
#[derive(Debug, Clone)]
pub(crate) enum TokenSource {
    /// The token itself.
    Text(String),
    /// A file with the token, which may change.
    File(PathBuf),
}

impl TokenSource {
    /// The present token; empty if it cannot be read, which no server accepts.
    pub(crate) fn read(&self) -> String {
        match self {
            TokenSource::Text(text) => text.clone(),
            TokenSource::File(path) => secret_in(path).unwrap_or_default(),
        }
    }
}
