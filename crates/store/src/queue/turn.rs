//! The state of packs while the process runs: whether one runs, its progress, its end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The state of packs in this process.
#[derive(Default)]
pub(crate) struct Turn {
    pub(crate) running: AtomicBool,
    pub(crate) stop: Mutex<bool>,
    told: Condvar,
    /// The progress of the running pack, in millionths.
    pub(crate) progress: AtomicU64,
}

impl Turn {
    /// Waits a little between slices; answers whether the pack has to stop.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .told
            .wait_timeout_while(stop, pause, |stop| !*stop)
            .unwrap_or_else(PoisonError::into_inner);
        *waited.0
    }

    /// Asks the running pack to stop.
    pub(crate) fn stop(&self) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn show(&self, progress: f64) {
        let millionths = (progress.clamp(0.0, 1.0) * 1e6) as u64;
        self.progress.fetch_max(millionths, Ordering::Relaxed);
    }
}
