//! The service itself: its state, and the controls for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/service`: the status of a service, in the terms of the Windows service control manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// `stopped`, `start_pending`, `stop_pending`, `running`, `continue_pending`, `pause_pending`
    /// or `paused`.
    pub state: String,
    /// Since when it has been in that state.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Grows each time that the work of a pending state progresses; 0 in other states.
    pub checkpoint: u32,
    /// How many seconds that work may stand still before the process is ended by force; 0 in other
    /// states.
    pub wait_hint_seconds: u64,
    /// The controls that it accepts now, besides `interrogate`.
    pub accepts: Vec<String>,
    /// The Win32 error number that it ended with; 0 while it runs.
    pub exit_code: u32,
    /// The work that a pending state waits for, and how much of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
}

/// `POST /v1/service/controls`: send a control to the service.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlRequest {
    /// The control to send.
    pub control: ServiceControl,
}

/// The controls of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceControl {
    /// Stop the server.
    Stop,
    /// Grant nothing more until `continue`.
    Pause,
    /// Grant again.
    Continue,
    /// Report the state.
    Interrogate,
}
