//! The state of a manager: its watches, and what all of them share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::book::Book;
use crate::kept_replays::KeptReplays;
use crate::led::Led;
use crate::secrets::Admin;
use crate::server_watch::{LOOK_AT_MOST, ServerWatch};
use crate::tools::Tools;
use crate::turns::Turns;

/// The largest number of servers that one manager watches.
pub(crate) const SERVERS_LIMIT: usize = 1_000;

/// The state of a manager.
pub(crate) struct App {
    pub(crate) tools: Arc<Tools>,
    pub(crate) admin: Arc<Admin>,
    pub(crate) book: Book,
    /// Who leads the site.
    pub(crate) led: Led,
    watches: Mutex<BTreeMap<String, ServerWatch>>,
    /// Which servers are watched changes one change at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// The turns of what-ifs: only so many count at once.
    pub(crate) turns: Turns,
    /// What they have come to.
    pub(crate) kept_replays: KeptReplays,
}

impl App {
    /// Watches nothing yet.
    pub(crate) fn new(tools: Arc<Tools>, admin: Arc<Admin>, book: Book, led: Led) -> Self {
        App {
            tools,
            admin,
            book,
            led,
            watches: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            turns: Turns::default(),
            kept_replays: KeptReplays::default(),
        }
    }

    /// The watches, by the names of their servers.
    pub(crate) fn watches(&self) -> MutexGuard<'_, BTreeMap<String, ServerWatch>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the watch of a server, and waits until its records are written; answers whether there
    /// was one.
    pub(crate) async fn end_watch(&self, name: &str) -> bool {
        let watch = self.watches().remove(name);
        let Some(watch) = watch else {
            return false;
        };
        watch.end().await;
        self.tools.dispatcher.settled().await;
        true
    }

    /// Ends what all watches do, and waits until that has ended; what they have seen stays.
    pub(crate) async fn end_watches(&self) {
        let tasks: Vec<_> = {
            let mut watches = self.watches();
            watches
                .values_mut()
                .flat_map(ServerWatch::take_tasks)
                .collect()
        };
        for task in tasks {
            task.abort();
            // That it was ended is what is waited for.
            let _ = task.await;
        }
    }

    /// A server that has not been polled for longer than a poll and the pause before it take.
    pub(crate) fn late_watch(&self) -> Option<String> {
        let at_most = self.tools.poll + LOOK_AT_MOST;
        let is_late =
            |watch: &ServerWatch| watch.is_polling() && watch.view.looked_at().elapsed() > at_most;
        let watches = self.watches();
        let late = watches.iter().find(|(_, watch)| is_late(watch));
        late.map(|(name, _)| name.clone())
    }
}
