//! Faults of a role's own: panics, and lines of its log that could not be written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Faults of one role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Faults {
    /// Lines of its log that could not be written since it was started.
    #[serde(default)]
    pub lost_log_lines: u64,
    /// Requests, items and connections that ended by a panic since it was started; null: none.
    #[serde(default)]
    pub caught: Option<CaughtPanics>,
    /// The last end of the whole role by a panic; null: none is known.
    #[serde(default)]
    pub ended: Option<EndedByPanic>,
}

/// A write-ahead log that a reader of the data file keeps from being taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldLog {
    /// The size of the log, in bytes.
    pub bytes: u64,
    /// The processes that read the data file, by name and number; empty if the system does not
    /// tell.
    pub readers: Vec<String>,
}

/// Panics that ended what was handled, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaughtPanics {
    /// How many there were since the role started.
    pub count: u64,
    /// When the last one happened.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// What was handled, and what the last panic said.
    pub last: String,
}

/// The end of a role by a panic in a thread that others wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndedByPanic {
    /// When the role ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The thread or task.
    pub thread: String,
    /// What the panic said.
    pub what: String,
}
