//! Tells the service manager that the server is alive: because work went the whole way through
//! queue, ledger and disk, never because time has passed.
//!
//! If nothing was committed for half the manager's interval, an empty command is sent that way.
//! A disk that answers and refuses, such as a full one, is a living server's trouble: another
//! start would mend nothing. A disk that does not answer, or a writer that hangs, is silence.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use usher_core::lifecycle::{ServiceManager, ServiceState};
use usher_store::{Engine, Failure};

use crate::upkeep::lifecycle::ServiceLife;

/// How often the engine is checked within one interval of the service manager, which so hears at
/// least twice.
const LOOKS: u32 = 4;

/// Watches the engine on a thread of its own, if the service manager has a watchdog.
pub(crate) fn watch(
    engine: Engine,
    life: ServiceLife,
    manager: Arc<dyn ServiceManager>,
) -> io::Result<()> {
    let Some(interval) = manager.watchdog() else {
        return Ok(());
    };
    let look = interval / LOOKS;
    let attend = move || attend(&engine, &life, manager.as_ref(), look);
    usher_vital::spawn("vital", attend).map(drop)
}

fn attend(engine: &Engine, life: &ServiceLife, manager: &dyn ServiceManager, look: Duration) {
    let mut seen = None;
    let mut is_quiet = false;
    while life.state() != ServiceState::Stopped {
        usher_vital::plant::thread();
        let (batches, _) = engine.commits();
        let has_moved = seen.replace(batches) != Some(batches);
        // Every other quiet look sends one: half an interval without a commit.
        if has_moved || (is_quiet && answers(engine)) {
            manager.alive();
        }
        is_quiet = !has_moved && !is_quiet;
        std::thread::sleep(look);
    }
}

fn answers(engine: &Engine) -> bool {
    match engine.prove() {
        Ok(()) | Err(Failure::Storage(_) | Failure::Unread(_)) => true,
        // A queue that is full moves, else the next look finds no commit.
        Err(Failure::Busy) => false,
        Err(Failure::OutcomeUnknown(_) | Failure::Stopping | Failure::Fault) => false,
    }
}
