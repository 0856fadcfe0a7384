//! Windows: a process that somebody started by hand is given nothing. The service control manager
//! is not asked yet, and every question to it says so.

use std::net::TcpListener;
use std::sync::Arc;

use usher_core::lifecycle::ServiceManager;

use crate::unit::{AskError, Unit};

/// What whoever started this process has given it.
#[derive(Default)]
pub struct Given {
    /// Listeners that are bound already.
    pub listeners: Vec<TcpListener>,
    /// Who wants to hear of the service's state, if somebody does.
    pub manager: Option<Arc<dyn ServiceManager>>,
}

/// Takes what this process was given.
///
/// # Errors
/// None.
pub fn of_this_process() -> Result<Given, String> {
    Ok(Given::default())
}

/// The listener that whoever started this process left open at that number for it.
///
/// # Errors
/// Always: Windows has no such numbers.
pub fn inherited(number: u16) -> Result<TcpListener, String> {
    Err(format!(
        "descriptor {number} cannot be taken over: that is not supported on Windows yet"
    ))
}

/// Tells whoever started this process that it is ready, if somebody asked to hear: on Windows
/// nobody can yet.
pub fn tell_ready() {}

/// Whether there is a service manager that can be asked.
pub fn has_manager() -> bool {
    false
}

/// How a service is.
///
/// # Errors
/// [`AskError`]: always.
pub fn query(unit: &str) -> Result<Unit, AskError> {
    Err(not_yet(unit))
}

/// Starts services, and waits until they are ready.
///
/// # Errors
/// [`AskError`]: always.
pub fn start(units: &[&str]) -> Result<(), AskError> {
    Err(not_yet(&units.join(", ")))
}

/// Stops services, and waits until they have.
///
/// # Errors
/// [`AskError`]: always.
pub fn stop(units: &[&str]) -> Result<(), AskError> {
    Err(not_yet(&units.join(", ")))
}

/// Restarts services, and waits until they are ready again.
///
/// # Errors
/// [`AskError`]: always.
pub fn restart(units: &[&str]) -> Result<(), AskError> {
    Err(not_yet(&units.join(", ")))
}

/// Asks for the stop of a service, and does not wait for it.
///
/// # Errors
/// [`AskError`]: always.
pub fn ask_to_stop(unit: &str) -> Result<(), AskError> {
    Err(not_yet(unit))
}

/// Asks for the start of a service, and does not wait until it is ready.
///
/// # Errors
/// [`AskError`]: always.
pub fn ask_to_start(unit: &str) -> Result<(), AskError> {
    Err(not_yet(unit))
}

/// Ends a service's processes, and does not wait.
///
/// # Errors
/// [`AskError`]: always.
pub fn kill(unit: &str) -> Result<(), AskError> {
    Err(not_yet(unit))
}

/// Has the service manager read its settings again.
///
/// # Errors
/// [`AskError`]: always.
pub fn reload() -> Result<(), AskError> {
    Err(not_yet("its services"))
}

fn not_yet(unit: &str) -> AskError {
    AskError::NoManager {
        unit: unit.to_owned(),
        why: "asking the service control manager of Windows is not supported yet".to_owned(),
    }
}
