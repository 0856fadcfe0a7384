//! The tokens that are shown to metering servers.

use std::path::PathBuf;

use usher_api::secret_in;

/// Where a server's token comes from.
#[derive(Debug, Clone)]
pub(crate) enum TokenSource {
    /// It was given.
    Text(String),
    /// It is in a file, which its owner may write again.
    File(PathBuf),
}

impl TokenSource {
    /// The token as it is now; empty if it cannot be read, which no server takes.
    pub(crate) fn read(&self) -> String {
        match self {
            TokenSource::Text(text) => text.clone(),
            TokenSource::File(path) => secret_in(path).unwrap_or_default(),
        }
    }
}
