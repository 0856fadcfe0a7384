//! What a keeper works with, and so does each task of a manager that asks the site database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use usher_core::health::{HealingOptions, MemoryOptions, WatchOptions};
use usher_site::{Site, SiteError};
use usher_vital::RequestId;

use crate::ServiceManager;
use crate::desk::Desk;
use crate::probe::Prober;
use crate::thresholds::Held;

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
        let call = RequestId::carried(move || call(site.as_ref()));
        let called = tokio::task::spawn_blocking(call).await;
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
