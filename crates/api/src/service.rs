//! The service itself: how it is, and what it may be asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/service`: a service's status, as the Windows service control manager knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// `stopped`, `start_pending`, `stop_pending`, `running`, `continue_pending`, `pause_pending`
    /// or `paused`.
    pub state: String,
    /// Since when it is in that state.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Counts the moves of the work that a pending state waits for; 0 in other states.
    pub checkpoint: u32,
    /// How long that work may stand still before the process is ended by force; 0 in other states.
    pub wait_hint_seconds: u64,
    /// The controls that it takes now, beside `interrogate`.
    pub accepts: Vec<String>,
    /// What it ended with; 0 while it has not.
    pub exit_code: u32,
    /// The work that a pending state waits for, and how much of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
}

/// `POST /v1/service/controls`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    /// What it is asked.
    pub control: ServiceControl,
}

/// What a service may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceControl {
    /// End.
    Stop,
    /// Grant nothing more until told to go on.
    Pause,
    /// Grant again.
    Continue,
    /// Say how it is.
    Interrogate,
}
