//! Faults of a role itself: panics, and lines of its log that could not be written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Faults of one role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Faults {
    /// Lines of its log that could not be written since its start.
    #[serde(default)]
    pub lost_log_lines: u64,
    /// Requests, items and connections that ended by a panic since its start; null: none.
    #[serde(default)]
    pub caught: Option<CaughtPanics>,
    /// The last time that a panic ended the whole role; null: none is known.
    #[serde(default)]
    pub ended: Option<EndedByPanic>,
}

/// A write-ahead log whose checkpoint a reader of the data file prevents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldLog {
    /// The size of the log, in bytes.
    pub bytes: u64,
    /// The processes that read the data file, by name and number; empty if the system does not
    /// tell.
    pub readers: Vec<String>,
}

/// Panics that ended only the request, item or connection that was handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaughtPanics {
    /// How many there were since the role started.
    pub count: u64,
    /// When the last one happened.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// What was handled at the last panic, and the panic's text.
    pub last: String,
}

/// The end of a role by a panic in a thread that others wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndedByPanic {
    /// When the role ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The thread or task that panicked.
    pub thread: String,
    /// The text of the panic.
    pub what: String,
}
