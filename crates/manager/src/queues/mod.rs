//! One queue for each destination of messages, so that one that hangs holds up no other.
//!
//! A queue has a task for as long as something waits in it, and takes messages up to a limit; what
//! comes beyond is dropped, counted and told. A destination that takes nothing is tried less and less
//! often, and at once when something else has gone through there; what waits too long is given up,
//! counted and told. What is refused for good is given up at once, counted and told, too, and what
//! waits behind it is tried. What waits is in the site database, too, so that the next manager goes on with it: then a
//! message may arrive twice, and none is lost.

mod emptying;
mod queue;
mod shared;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Duration;
use usher_api::Delivery;
use usher_site::{DestinationRow, Site};

use crate::clock::date;
use crate::delivery::{self, Means, Parcel};
use crate::leading::Leading;
use crate::targets::Errand;
use crate::undelivered::Patience;
use queue::{Failing, Queue};
use shared::Shared;

pub(crate) use queue::Waiting;
pub(crate) use shared::is_power;

/// How many messages may wait for one destination.
pub(crate) const WAITING_LIMIT: usize = 1_000;
/// How many destinations may have waiting messages or fail at one time; rules usually name fewer.
const DESTINATIONS_LIMIT: usize = 256;
/// The number of tries: of one message before the next ones have their turn; of a delivery that may
/// succeed soon or never; and before a failing destination is reported.
const TRIES: usize = 3;
/// How soon after a try another one may follow because a mail to somebody else succeeded: a relay
/// that defers one address should not be asked with each mail to others.
const RELAY_TRIES: Duration = Duration::from_secs(60);
/// How many failures may wait to be reported; the rest is only in the log and the counts.
const TROUBLES_LIMIT: usize = 1_000;

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It failed for good, or its destination fails.
    Failed {
        /// The name of the rule.
        rule: String,
        /// The number of the message.
        id: u16,
        /// What went wrong.
        why: String,
    },
    /// Deliveries were given up: they waited too long for a failing destination, or were refused
    /// for good.
    GivenUp {
        /// The destination, in words for people.
        destination: String,
        /// How many were given up since the last success.
        given_up: u64,
        /// Why, with the last error.
        why: String,
    },
    /// It was dropped, because too many messages wait for its destination.
    Dropped {
        /// The destination, in words for people.
        destination: String,
        /// How many were dropped since its queue was last empty.
        dropped: u64,
    },
}

/// The queues of all destinations. Dropping them ends their tasks.
pub(crate) struct Queues {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

/// Counts of deliveries since the manager's start, and of those that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) dropped: u64,
    pub(crate) failed: u64,
    pub(crate) given_up: u64,
    pub(crate) waiting: u64,
}

impl Queues {
    /// Queues without destinations yet, which deliver while `leading` holds; failures come out of the
    /// receiver.
    pub(crate) fn new(
        means: Means,
        patience: Patience,
        site: Arc<dyn Site>,
        leading: Leading,
    ) -> (Queues, mpsc::Receiver<Trouble>) {
        let (troubles, told) = mpsc::channel(TROUBLES_LIMIT);
        let queues = Queues {
            shared: Arc::new(Shared::new(means, patience, site, leading, troubles)),
            tasks: Mutex::default(),
        };
        (queues, told)
    }

    /// Ends what is being delivered: another manager goes on with it.
    pub(crate) fn end(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.abort_all();
    }

    /// By what things are sent.
    pub(crate) fn means(&self) -> &Means {
        &self.shared.means
    }

    /// Reserves a place for a parcel, which [`Queues::send`] uses; answers whether there is one. A
    /// parcel without a place is counted and reported. `destination` is its name in the site
    /// database.
    pub(crate) fn admit(&self, errand: &Errand, destination: &str) -> bool {
        let mut waiting = self.shared.waiting();
        if !waiting.contains_key(errand) && waiting.len() >= DESTINATIONS_LIMIT {
            // One that only says how it is makes room.
            let idle = waiting.iter().find(|(_, queue)| queue.is_idle());
            let idle = idle.map(|(key, _)| key.clone());
            let Some(idle) = idle else {
                drop(waiting);
                self.shared.drop_one(errand, 1);
                return false;
            };
            waiting.remove(&idle);
        }
        let queue = waiting.entry(errand.clone());
        let queue = queue.or_insert_with(|| Queue::new(destination.into()));
        if queue.parcels.len() + queue.coming >= WAITING_LIMIT {
            queue.dropped += 1;
            let dropped = queue.dropped;
            drop(waiting);
            self.shared.drop_one(errand, dropped);
            return false;
        }
        queue.coming += 1;
        true
    }

    /// Gives back the place of a parcel that was admitted and will not be sent.
    pub(crate) fn forgo(&self, errand: &Errand) {
        let mut waiting = self.shared.waiting();
        let Some(queue) = waiting.get_mut(errand) else {
            return;
        };
        queue.coming = queue.coming.saturating_sub(1);
        if queue.is_idle() && queue.failing.is_none() {
            waiting.remove(errand);
        }
    }

    /// Queues a parcel that was admitted. Never waits.
    pub(crate) fn send(&self, parcel: Parcel) {
        let key = parcel.errand.clone();
        {
            let mut waiting = self.shared.waiting();
            // A queue for which something comes stays.
            let Some(queue) = waiting.get_mut(&key) else {
                return;
            };
            queue.coming = queue.coming.saturating_sub(1);
            queue.parcels.push_back(Waiting::new(parcel));
        }
        self.start(key);
    }

    /// Resumes a destination that failed when the previous manager ended.
    pub(crate) fn resume_failing(&self, errand: Errand, row: DestinationRow) {
        let mut waiting = self.shared.waiting();
        let queue = waiting.entry(errand);
        let queue = queue.or_insert_with(|| Queue::new(row.destination.as_str().into()));
        queue.failing = Some(Failing::resumed(row));
    }

    /// Resumes a delivery that waited when the previous manager ended. It was admitted then.
    pub(crate) fn resume(&self, destination: &str, it: Waiting) {
        let key = it.parcel.errand.clone();
        {
            let mut waiting = self.shared.waiting();
            let queue = waiting.entry(key.clone());
            let queue = queue.or_insert_with(|| Queue::new(destination.into()));
            queue.parcels.push_back(it);
        }
        self.start(key);
    }

    /// Starts the task of a queue, if it has none.
    fn start(&self, key: Errand) {
        {
            let mut waiting = self.shared.waiting();
            let Some(queue) = waiting.get_mut(&key).filter(|queue| !queue.is_running) else {
                return;
            };
            queue.is_running = true;
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are done are forgotten.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(emptying::empty(self.shared.clone(), key));
    }

    /// Forgets the state of destinations that are no longer named and for which nothing waits.
    pub(crate) fn forget_all_but(&self, named: &HashSet<Errand>) {
        let mut waiting = self.shared.waiting();
        waiting.retain(|key, queue| !queue.is_idle() || named.contains(key));
    }

    /// Notes a success outside of the queues: what waits for the same destination is tried at once.
    pub(crate) fn went_through(&self, errand: &Errand) {
        self.shared.went_through(errand);
    }

    /// How many deliveries were dropped, have failed, were given up, and wait now.
    pub(crate) fn counts(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let waiting = self.shared.waiting();
        Counts {
            dropped: load(&self.shared.dropped),
            failed: load(&self.shared.failed),
            given_up: load(&self.shared.given_up),
            waiting: waiting.values().map(Queue::waits).sum(),
        }
    }

    /// The destinations with waiting messages or failures, the failing ones first.
    pub(crate) fn destinations(&self) -> Vec<Delivery> {
        let waiting = self.shared.waiting();
        let mut all: Vec<Delivery> = waiting
            .iter()
            .filter(|(_, queue)| queue.waits() > 0 || queue.failing.is_some())
            .map(|(errand, queue)| Delivery {
                destination: delivery::destination(errand),
                waiting: queue.waits(),
                why: queue.failing.as_ref().map(|it| it.why.clone()),
                failing_since: queue.failing.as_ref().map(|it| date(it.since_ms)),
                next_at: queue
                    .failing
                    .as_ref()
                    .filter(|_| queue.waits() > 0)
                    .map(|it| date(it.next_ms)),
                given_up: queue.failing.as_ref().map_or(0, |it| it.given_up),
            })
            .collect();
        all.sort_by(|a, b| {
            let key = |it: &Delivery| (it.why.is_none(), it.failing_since);
            (key(a), &a.destination).cmp(&(key(b), &b.destination))
        });
        all
    }
}

#[cfg(test)]
mod tests;
