//! What becomes durable, for who waits for it and follows it, and the state that the server says
//! it is in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use usher_core::ledger::{Batch, Event};

use crate::engine::feed::Feed;
use crate::engine::metrics::Decisions;
use crate::engine::watchers::Watchers;
use crate::upkeep::lifecycle::ServiceNow;

/// What the writer tells as soon as it is durable.
#[derive(Default)]
pub(crate) struct Live {
    /// Who waits for tickets.
    pub(crate) tickets: Arc<Watchers>,
    /// Who follows events.
    pub(crate) feed: Arc<Feed>,
    /// What was decided.
    pub(crate) decisions: Decisions,
    /// Grows with each change of the products: what was remembered of them is read again.
    pub(crate) catalogue_changes: AtomicU64,
}

impl Live {
    /// Takes in what has become durable. Called by the writer.
    pub(crate) fn take_in(&self, batch: &Batch) {
        self.decisions.count(batch);
        self.tickets.tell(batch);
        self.feed.take_in(batch);
        let catalogue = |event: &Event| {
            matches!(
                event,
                Event::ProductPut { .. } | Event::ProductRemoved { .. }
            )
        };
        if batch.events.iter().any(catalogue) {
            self.catalogue_changes.fetch_add(1, Ordering::Release);
        }
    }
}

/// The state that the server says it is in, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceState {
    /// A name of `usher_core::lifecycle::ServiceState`, or `degraded` for one that runs and serves
    /// less well than it should.
    pub(crate) word: &'static str,
    /// Since when, in Unix milliseconds.
    pub(crate) since_ms: i64,
    /// Why it is degraded, or what a pending state waits for.
    pub(crate) why: Option<String>,
}

impl ServiceState {
    /// As the machine says.
    pub(crate) fn of(seen: &ServiceNow) -> ServiceState {
        ServiceState {
            word: seen.report.status.state.name(),
            since_ms: seen.since_ms,
            why: seen.report.status.work.map(|work| work.to_string()),
        }
    }
}
