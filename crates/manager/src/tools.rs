//! What watches use, and each task of a manager that asks the site database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use usher_core::health::{EpisodeOptions, HealingOptions, MemoryOptions};
use usher_site::Site;

use crate::ServiceManager;
use crate::dispatch::Dispatcher;
use crate::probe::Prober;
use crate::thresholds::Held;

/// What a watch works with.
pub(crate) struct Tools {
    pub(crate) site: Arc<dyn Site>,
    /// What people call the site.
    pub(crate) site_name: String,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) prober: Prober,
    pub(crate) service_manager: Arc<dyn ServiceManager>,
    pub(crate) poll: Duration,
    pub(crate) watching: EpisodeOptions,
    pub(crate) healing: Option<HealingOptions>,
    pub(crate) memory: Option<MemoryOptions>,
    pub(crate) thresholds: Held,
    /// Told after each look, for the beat.
    pub(crate) looked: Notify,
    /// Told when an import was taken out: its rows are to be removed.
    pub(crate) import_removed: Notify,
}

impl Tools {
    /// A server was looked at.
    pub(crate) fn looked(&self) {
        self.looked.notify_one();
    }
}
