//! A pause is a command to the ledger: requests that came before it are decided, and after it
//! nobody gets a seat: neither by a request, nor from the queue, nor by an agent's report. Leases
//! are renewed and given back, and everything can be read.
//!
//! A pause ends with the process: a server that starts grants seats, as its state says.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use usher_core::ledger::Command;
use usher_core::lifecycle::ServiceState;

use crate::state::app::App;

/// The pause between two attempts while the queue of commands is full.
const LOOK: Duration = Duration::from_millis(5);
/// How long the ledger may take: less than the wait hint of a pause.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two attempts if nothing can be stored.
const RETRY: Duration = Duration::from_secs(1);

/// Pauses and continues the ledger as the service's state says, until the service stops. `told` is
/// the last command: whether to pause.
pub(crate) async fn tend(app: Arc<App>, mut told: Option<bool>) {
    loop {
        let state = app.life.state();
        if matches!(state, ServiceState::StopPending | ServiceState::Stopped) {
            return;
        }
        let pauses = matches!(state, ServiceState::PausePending | ServiceState::Paused);
        if told != Some(pauses) {
            told = tell(&app, pauses).await;
        }
        // Where nothing can be stored nothing is granted either, so the state is what it says; the
        // ledger is told within RETRY of the disk's return.
        app.life.settled(state);
        match told {
            Some(_) => drop(app.life.other_than(state).await),
            None => sleep(RETRY).await,
        }
    }
}

/// Tells the ledger to pause or to continue. None: that could not be made durable.
pub(crate) async fn tell(app: &App, pauses: bool) -> Option<bool> {
    let until = Instant::now() + PATIENCE;
    loop {
        let command = match pauses {
            true => Command::Pause,
            false => Command::Continue,
        };
        match timeout_at(until, app.command(command)).await {
            Ok(Ok(_)) => return Some(pauses),
            Ok(Err(refusal)) if refusal.is_busy() && Instant::now() < until => {
                sleep(LOOK).await;
            }
            Ok(Err(_)) | Err(_) => return None,
        }
    }
}
