//! The last known state of a server, for requests while its watch runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use usher_api::WatchedServer;

use crate::levels::Levels;

/// What a watch shows of its server.
#[derive(Debug, Clone)]
pub(crate) struct View {
    seen: Arc<Mutex<WatchedServer>>,
    looked_at: Arc<Mutex<Instant>>,
    beside: Arc<Mutex<Beside>>,
}

/// What is known beside what `/v1/servers` shows.
#[derive(Debug, Default)]
struct Beside {
    levels: Option<Arc<Levels>>,
    caught_up_ms: Option<i64>,
}

impl View {
    /// A view that shows this; a first poll begins.
    pub(crate) fn new(seen: WatchedServer) -> View {
        View {
            seen: Arc::new(Mutex::new(seen)),
            looked_at: Arc::new(Mutex::new(Instant::now())),
            beside: Arc::default(),
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

    /// What the server last said that it holds of its products; none: nothing since the watch began.
    pub(crate) fn levels(&self) -> Option<Arc<Levels>> {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.levels.clone()
    }

    /// Notes what the server says that it holds.
    pub(crate) fn put_levels(&self, levels: Levels) {
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.levels = Some(Arc::new(levels));
    }

    /// Up to when everything that has ended on the server is collected; Unix milliseconds, wall
    /// clock. None: that is not known since the watch began.
    pub(crate) fn caught_up_ms(&self) -> Option<i64> {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.caught_up_ms
    }

    /// Notes that all is collected that had ended at that Unix millisecond.
    pub(crate) fn caught_up(&self, at_ms: i64) {
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.caught_up_ms = Some(at_ms);
    }

    /// Changes what is shown.
    pub(crate) fn set(&self, change: impl FnOnce(&mut WatchedServer)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
