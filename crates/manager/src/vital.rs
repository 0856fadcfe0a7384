//! Tells the service manager that the manager is alive: because its servers are looked at and the
//! site database takes what it is given, never because time has passed.
//!
//! A database that answers and refuses, such as on a full disk, is a living manager's trouble:
//! another start would mend nothing. One that does not answer, or a watch that hangs, is silence.

use std::sync::Arc;

use tokio::sync::watch;
use usher_core::lifecycle::ServiceManager;

use crate::app::App;
use crate::clock::wall_ms;
use crate::logged::or_log;

/// How many signs of life are sent within one interval of the service manager.
const SIGNS: u32 = 3;

/// Sends signs of life to the service manager, if it wants them, for as long as this is awaited.
pub(crate) async fn attend(current: watch::Receiver<Arc<App>>, manager: Arc<dyn ServiceManager>) {
    let Some(interval) = manager.watchdog() else {
        return;
    };
    loop {
        let app = current.borrow().clone();
        let late = app.late_watch();
        if let Some(name) = &late {
            tracing::error!(server = name, "the server has not been polled for too long");
        }
        let _ = or_log(app.tools.site.note_alive(wall_ms()).await);
        if late.is_none() {
            manager.alive();
        }
        tokio::time::sleep(interval / SIGNS.max(1)).await;
    }
}
