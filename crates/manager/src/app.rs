//! A manager as a whole: its keepers, and what all of them share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::book::Book;
use crate::keeper::{Keeper, LOOK_AT_MOST};
use crate::secrets::Admin;
use crate::tools::Tools;

/// Servers that one manager watches at the most.
pub(crate) const SERVERS_LIMIT: usize = 1_000;

/// A manager.
pub(crate) struct App {
    pub(crate) tools: Arc<Tools>,
    pub(crate) admin: Arc<Admin>,
    pub(crate) book: Book,
    keepers: Mutex<BTreeMap<String, Keeper>>,
    /// Which servers are watched changes one change at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

impl App {
    /// Watches nothing yet.
    pub(crate) fn new(tools: Arc<Tools>, admin: Admin, book: Book) -> Self {
        App {
            tools,
            admin: Arc::new(admin),
            book,
            keepers: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// The keepers, by the names of their servers.
    pub(crate) fn keepers(&self) -> MutexGuard<'_, BTreeMap<String, Keeper>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the work of a server's keeper, and waits until what it was recording is recorded; whether
    /// there was one.
    pub(crate) async fn end_keeper(&self, name: &str) -> bool {
        let keeper = self.keepers().remove(name);
        let Some(keeper) = keeper else {
            return false;
        };
        keeper.end().await;
        self.tools.desk.settled().await;
        true
    }

    /// A server that has not been looked at for longer than a look and the pause before it take.
    pub(crate) fn late_keeper(&self) -> Option<String> {
        let at_most = self.tools.poll + LOOK_AT_MOST;
        let is_late = |keeper: &Keeper| keeper.view.looked_at().elapsed() > at_most;
        let keepers = self.keepers();
        let late = keepers.iter().find(|(_, keeper)| is_late(keeper));
        late.map(|(name, _)| name.clone())
    }
}
