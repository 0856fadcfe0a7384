//! What all parts of a manager share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use usher_core::health::{HealingOptions, MemoryOptions, WatchOptions};
use usher_site::{Site, SiteError};

use crate::ServiceManager;
use crate::book::Book;
use crate::desk::Desk;
use crate::keeper::Keeper;
use crate::probe::Prober;
use crate::secrets::Admin;
use crate::thresholds::Held;
use crate::vital::LOOK_AT_MOST;

/// Servers that one manager watches at the most.
pub(crate) const SERVERS_LIMIT: usize = 1_000;

/// What a keeper works with.
pub(crate) struct Tools {
    pub(crate) site: Arc<dyn Site>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) prober: Prober,
    pub(crate) service_manager: Arc<dyn ServiceManager>,
    pub(crate) poll: Duration,
    pub(crate) watching: WatchOptions,
    pub(crate) healing: Option<HealingOptions>,
    pub(crate) memory: Option<MemoryOptions>,
    pub(crate) thresholds: Held,
    /// Told after each look, for the beat.
    pub(crate) looked: Notify,
}

impl Tools {
    /// Calls the site database where waiting hurts nobody; what fails is logged, and nothing.
    pub(crate) async fn in_site<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Site) -> Result<T, SiteError> + Send + 'static,
    ) -> Option<T> {
        match self.try_in_site(call).await {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::error!(%error, "the site database");
                None
            }
        }
    }

    /// The same, with the failure for who asks.
    pub(crate) async fn try_in_site<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Site) -> Result<T, SiteError> + Send + 'static,
    ) -> Result<T, SiteError> {
        let site = self.site.clone();
        let called = tokio::task::spawn_blocking(move || call(site.as_ref())).await;
        called.unwrap_or_else(|error| {
            Err(SiteError::Failed {
                doing: "look",
                why: error.to_string(),
            })
        })
    }

    /// A server was looked at.
    pub(crate) fn looked(&self) {
        self.looked.notify_one();
    }
}

/// A manager.
pub(crate) struct App {
    pub(crate) tools: Arc<Tools>,
    pub(crate) admin: Arc<Admin>,
    pub(crate) book: Arc<Book>,
    keepers: Mutex<BTreeMap<String, Keeper>>,
}

impl App {
    /// Watches nothing yet.
    pub(crate) fn new(tools: Arc<Tools>, admin: Admin, book: Book) -> Self {
        App {
            tools,
            admin: Arc::new(admin),
            book: Arc::new(book),
            keepers: Mutex::default(),
        }
    }

    /// The keepers, by the names of their servers.
    pub(crate) fn keepers(&self) -> MutexGuard<'_, BTreeMap<String, Keeper>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
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
