//! When a watch ends, and why.

use crate::kept::KeptError;

/// How a watch runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// It ends once all that is there was taken, and fails if it is not taken at once.
    pub once: bool,
    /// It reads and sends all of a log again; keys tell what is there already.
    pub again: bool,
}

/// Why a watch ends.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// What it keeps cannot be used.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The kind cannot be watched in this way.
    #[error("{0}")]
    Unfit(String),
    /// What was read was not taken, and it was to be tried once.
    #[error("{0}")]
    NotTaken(String),
    /// There was no report, and it was to be asked for once.
    #[error("{0}")]
    NoReport(String),
}
