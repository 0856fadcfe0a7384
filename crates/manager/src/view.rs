//! The last known state of a server, for requests while its watch runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use usher_api::WatchedServer;

/// What a watch shows of its server.
#[derive(Debug, Clone)]
pub(crate) struct View {
    seen: Arc<Mutex<WatchedServer>>,
    looked_at: Arc<Mutex<Instant>>,
}

impl View {
    /// A view that shows this; a first poll begins.
    pub(crate) fn new(seen: WatchedServer) -> View {
        View {
            seen: Arc::new(Mutex::new(seen)),
            looked_at: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// The server as it was last seen.
    pub(crate) fn get(&self) -> WatchedServer {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// When a poll last ended, or the first began. Not on the clock that counts sleep, because
    /// nobody polls while the computer sleeps.
    pub(crate) fn looked_at(&self) -> Instant {
        *self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a poll has ended.
    pub(crate) fn looked(&self) {
        let mut at = self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *at = Instant::now();
    }

    /// Changes what is shown.
    pub(crate) fn set(&self, change: impl FnOnce(&mut WatchedServer)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
