//! The tools of watches and of other tasks that use the site database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use usher_core::health::{EpisodeOptions, HealingOptions, MemoryOptions};
use usher_site::Site;

use crate::ServiceManager;
use crate::dispatch::Dispatcher;
use crate::elsewhere::Elsewhere;
use crate::gathering::Gathering;
use crate::groups::GroupBook;
use crate::identities::Identities;
use crate::leading::Leading;
use crate::probe::Prober;
use crate::refused::Refused;
use crate::thresholds::Held;

/// The tools of a watch.
pub(crate) struct Tools {
    pub(crate) site: Arc<dyn Site>,
    /// The lead under which all of this is done.
    pub(crate) leading: Leading,
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
    /// Who is in which group.
    pub(crate) groups: Arc<GroupBook>,
    /// Notified after each poll, for the outside URL.
    pub(crate) looked: Notify,
    /// Told when an import was taken out: its rows are to be removed.
    pub(crate) import_removed: Notify,
    /// Told when there may be something new to count: an import was finished or taken out, or
    /// somebody had a server polled.
    pub(crate) counting: Notify,
    /// Which names are one server.
    pub(crate) identities: Arc<Identities>,
    /// What other licence servers hold.
    pub(crate) elsewhere: Elsewhere,
    /// What became of refusals.
    pub(crate) refused: Refused,
    /// From which servers much may be collected at once.
    pub(crate) gathering: Gathering,
}

impl Tools {
    /// Notes that a server was polled.
    pub(crate) fn looked(&self) {
        self.looked.notify_one();
    }
}
