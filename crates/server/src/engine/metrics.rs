//! Counts for `GET /metrics`. Each core counts for itself; a scrape adds up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use usher_core::ledger::{Batch, Event, ProductNumber, Reason};

/// Upper bounds of the latency buckets, in microseconds.
pub(crate) const BUCKETS_MICROS: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// The statuses that this server answers with; any other is counted under the last one, 0.
pub(crate) const STATUSES: [u16; 16] = [
    200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 500, 503, 431, 0,
];

/// One route's counts on one core.
#[derive(Default)]
pub(crate) struct RouteCounts {
    /// Answers by status, in the order of [`STATUSES`].
    pub(crate) answers: [AtomicU64; STATUSES.len()],
    /// Answers by latency, in the order of [`BUCKETS_MICROS`], then those that took longer.
    pub(crate) buckets: [AtomicU64; BUCKETS_MICROS.len() + 1],
    /// The sum of the latencies, in microseconds.
    pub(crate) micros: AtomicU64,
}

/// The counts of one core: one for each route, then one for all other paths.
pub(crate) struct CoreCounts {
    /// The counts, in the order of the route table.
    pub(crate) routes: Vec<RouteCounts>,
    /// Requests that are being answered, counted once the server stops; [`UNCOUNTED`] before.
    pub(crate) in_flight: AtomicU64,
}

/// The value before anything was counted.
pub(crate) const UNCOUNTED: u64 = u64::MAX;

impl CoreCounts {
    /// Empty counts for so many routes.
    pub(crate) fn new(routes: usize) -> CoreCounts {
        CoreCounts {
            routes: (0..=routes).map(|_| RouteCounts::default()).collect(),
            in_flight: AtomicU64::new(UNCOUNTED),
        }
    }

    /// How many requests the core has answered.
    pub(crate) fn answered(&self) -> u64 {
        let all = self.routes.iter().flat_map(|route| &route.answers);
        all.map(|answers| answers.load(Ordering::Relaxed)).sum()
    }

    /// Counts one answer.
    pub(crate) fn note(&self, route: usize, status: u16, took: Duration) {
        let Some(counts) = self.routes.get(route).or(self.routes.last()) else {
            return;
        };
        let status = STATUSES
            .iter()
            .position(|known| *known == status)
            .unwrap_or(STATUSES.len() - 1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_MICROS.partition_point(|bound| *bound < micros);
        // Only this core's thread adds; scrapes read whenever they like.
        counts.answers[status].fetch_add(1, Ordering::Relaxed);
        counts.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// Counts of the ledger's decisions since the start.
#[derive(Default)]
pub(crate) struct Decisions {
    /// Leases granted.
    pub(crate) granted: AtomicU64,
    /// Requests queued.
    pub(crate) queued: AtomicU64,
    /// Checkouts refused, repeats counted.
    pub(crate) denied: AtomicU64,
    /// Leases that ended.
    pub(crate) ended: AtomicU64,
    /// Sessions that agents reported as ended.
    pub(crate) sessions: AtomicU64,
    /// Checkouts refused by product and reason, repeats counted. As many entries as the products of
    /// the ledger have: each scrape drops those of products that are gone.
    by_product: Mutex<BTreeMap<(ProductNumber, &'static str), u64>>,
}

impl Decisions {
    /// Checkouts refused by product and reason; those of products that `is_there` does not know are
    /// forgotten.
    pub(crate) fn denied_by_product(
        &self,
        is_there: impl Fn(ProductNumber) -> bool,
    ) -> BTreeMap<(ProductNumber, &'static str), u64> {
        let mut counts = self.lock();
        counts.retain(|(product, _), _| is_there(*product));
        counts.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(ProductNumber, &'static str), u64>> {
        // Counts are whole after each step.
        self.by_product
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn count_denied(&self, product: ProductNumber, reason: Reason) {
        let reason = reason.wire_word();
        *self.lock().entry((product, reason)).or_default() += 1;
    }

    /// Counts the events of a durable batch. Called by the writer.
    pub(crate) fn count(&self, batch: &Batch) {
        let [mut granted, mut queued, mut denied, mut ended, mut sessions] = [0u64; 5];
        for event in batch.events.iter() {
            match event {
                Event::Granted { .. } => granted += 1,
                Event::Queued { .. } => queued += 1,
                Event::Denied { denial, .. } => {
                    denied += 1;
                    self.count_denied(denial.product, denial.reason);
                }
                Event::DeniedAgain {
                    product, reason, ..
                } => {
                    denied += 1;
                    self.count_denied(*product, *reason);
                }
                Event::Ended { .. } => ended += 1,
                Event::SessionFinished(_) => sessions += 1,
                _ => {}
            }
        }
        for (counter, more) in [
            (&self.granted, granted),
            (&self.queued, queued),
            (&self.denied, denied),
            (&self.ended, ended),
            (&self.sessions, sessions),
        ] {
            if more > 0 {
                counter.fetch_add(more, Ordering::Relaxed);
            }
        }
    }
}
