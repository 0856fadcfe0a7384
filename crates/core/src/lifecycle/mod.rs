//! The life of a service: one pure machine with the rules of the Windows service control manager,
//! spoken to systemd as well.
//!
//! A state is derived from work, never asserted. A pending state exists only together with the
//! [`Work`] that it waits for; its checkpoint moves only when that work moves; it has a deadline,
//! and when work stands still past it the machine asks for the process to be ended by force. So
//! no state is a trap, and "stopping" cannot be said without stopping (KB Q299261). Upkeep is not
//! a state of the service: see the pack's own.
//!
//! Sources: Win32 `SERVICE_STATUS`, "Service State Transitions", `ControlService`, and MS-SCMR.

mod machine;
mod manager;
mod state;

pub use machine::{Effect, Input, Lifecycle, Limit, Limits, Status};
pub use manager::{Report, ServiceManager};
pub use state::{Control, Refusal, ServiceState, Step, Work};
