//! Durable events for those who wait for them or follow them, and the state that the server
//! reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use usher_core::ledger::{Batch, Event};

use crate::engine::feed::Feed;
use crate::engine::metrics::Decisions;
use crate::engine::watchers::Watchers;
use crate::upkeep::lifecycle::ServiceNow;

/// Everything that the writer updates as soon as a batch is durable.
#[derive(Default)]
pub(crate) struct Live {
    /// The watchers of tickets.
    pub(crate) tickets: Arc<Watchers>,
    /// The listeners to events.
    pub(crate) feed: Arc<Feed>,
    /// The counts of decisions.
    pub(crate) decisions: Decisions,
    /// Grows with each change of the products, so that cached values are read again.
    pub(crate) catalogue_changes: AtomicU64,
}

impl Live {
    /// Takes a durable batch. Called by the writer.
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

/// The state that the server reports, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceState {
    /// A name of `usher_core::lifecycle::ServiceState`, or `degraded` if it runs, but with trouble.
    pub(crate) word: &'static str,
    /// Since when it has been in that state; Unix milliseconds, wall clock.
    pub(crate) since_ms: i64,
    /// Why it is degraded, or what a pending state waits for.
    pub(crate) why: Option<String>,
}

impl ServiceState {
    /// The state of the state machine.
    pub(crate) fn of(seen: &ServiceNow) -> ServiceState {
        ServiceState {
            word: seen.report.status.state.name(),
            since_ms: seen.since_ms,
            why: seen.report.status.work.map(|work| work.to_string()),
        }
    }
}
