//! One queue for each destination of messages, so that one that hangs holds up no other.
//!
//! A queue has a task for as long as something waits in it, and takes messages up to a limit; what
//! comes beyond is dropped, counted and told. A destination that takes nothing is tried less and less
//! often, with the first of what waits, and at once when something else has gone through there; what
//! waits too long is given up, counted and told. All of it
//! is kept in memory alone: the messages themselves are in the site database.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};
use usher_api::Delivery;
use usher_vital::caught;

use crate::clock::{date, wall_ms};
use crate::delivery::{self, Means, Parcel};
use crate::targets::Errand;
use crate::undelivered::{Patience, Undelivered};

/// Messages that may wait for one destination.
pub(crate) const WAITING_LIMIT: usize = 1_000;
/// Destinations for which something may wait at the same time: rules name fewer as a rule.
const DESTINATIONS_LIMIT: usize = 256;
/// Tries of what is refused for good, for who refuses may be wrong for a moment; and those after
/// which it is told that a destination takes nothing.
const TRIES: usize = 3;
/// How soon after a try another is made because a mail to somebody else went through: a relay that
/// puts one address off shall not be asked with each mail to others.
const RELAY_TRIES: Duration = Duration::from_secs(60);
/// Troubles that may wait to be told; the rest is in the log and the counts.
const TROUBLES_LIMIT: usize = 1_000;

/// What became of a delivery that did not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It failed for good.
    Failed {
        /// The rule that says so.
        rule: String,
        /// The number of the message.
        id: u16,
        /// What went wrong.
        why: String,
    },
    /// Some waited too long for a destination that takes nothing.
    GivenUp {
        /// Where to.
        destination: String,
        /// How many were since something went through.
        given_up: u64,
        /// What went wrong the last time.
        why: String,
    },
    /// Too much waits there already.
    Dropped {
        /// Where to.
        destination: String,
        /// How many were dropped since its queue was last empty.
        dropped: u64,
    },
}

/// See the module. Dropping it ends what it does.
pub(crate) struct Queues {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    means: Means,
    /// By the whole errand: two that differ in anything are two destinations.
    waiting: Mutex<HashMap<Errand, Queue>>,
    troubles: mpsc::Sender<Trouble>,
    patience: Patience,
    dropped: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
}

/// What became of deliveries since the manager's start, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) dropped: u64,
    pub(crate) failed: u64,
    pub(crate) given_up: u64,
    pub(crate) waiting: u64,
}

#[derive(Default)]
struct Queue {
    parcels: VecDeque<(Parcel, Instant)>,
    /// The first of all is out of the queue and under way.
    is_busy: bool,
    dropped: u64,
    failing: Option<Failing>,
    /// Wakes its task from a pause between tries.
    again: Arc<Notify>,
}

/// A destination that takes nothing.
#[derive(Debug, Clone)]
struct Failing {
    since_ms: i64,
    next_ms: i64,
    why: String,
    tries: usize,
    given_up: u64,
    tried: Instant,
}

impl Queues {
    /// No queue yet; troubles come out of the receiver.
    pub(crate) fn new(means: Means, patience: Patience) -> (Queues, mpsc::Receiver<Trouble>) {
        let (troubles, told) = mpsc::channel(TROUBLES_LIMIT);
        let shared = Shared {
            means,
            waiting: Mutex::default(),
            troubles,
            patience,
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        };
        let queues = Queues {
            shared: Arc::new(shared),
            tasks: Mutex::default(),
        };
        (queues, told)
    }

    /// By what things are sent.
    pub(crate) fn means(&self) -> &Means {
        &self.shared.means
    }

    /// Takes a parcel. Never waits.
    pub(crate) fn send(&self, parcel: Parcel) {
        let key = parcel.errand.clone();
        let mut waiting = self.shared.waiting();
        let is_new = !waiting.contains_key(&key);
        if is_new && waiting.len() >= DESTINATIONS_LIMIT {
            drop(waiting);
            self.shared.drop_one(&parcel, 1);
            return;
        }
        let queue = waiting.entry(key.clone()).or_default();
        if queue.parcels.len() >= WAITING_LIMIT {
            queue.dropped += 1;
            let dropped = queue.dropped;
            drop(waiting);
            self.shared.drop_one(&parcel, dropped);
            return;
        }
        queue.parcels.push_back((parcel, Instant::now()));
        drop(waiting);
        if is_new {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that are done are forgotten.
            while tasks.try_join_next().is_some() {}
            tasks.spawn(empty(self.shared.clone(), key));
        }
    }

    /// Something went through outside of the queues: what waits for the same destination is tried at
    /// once.
    pub(crate) fn went_through(&self, errand: &Errand) {
        self.shared.went_through(errand);
    }

    /// How many were dropped, failed, were given up, and wait now.
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

    /// Where something waits, those that take nothing first.
    pub(crate) fn destinations(&self) -> Vec<Delivery> {
        let waiting = self.shared.waiting();
        let mut all: Vec<Delivery> = waiting
            .iter()
            .map(|(errand, queue)| Delivery {
                destination: delivery::destination(errand),
                waiting: queue.waits(),
                why: queue.failing.as_ref().map(|it| it.why.clone()),
                failing_since: queue.failing.as_ref().map(|it| date(it.since_ms)),
                next_at: queue.failing.as_ref().map(|it| date(it.next_ms)),
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

impl Queue {
    fn waits(&self) -> u64 {
        self.parcels.len() as u64 + u64::from(self.is_busy)
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Errand, Queue>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one that was dropped; tells the first, the tenth, the hundredth ...
    fn drop_one(&self, parcel: &Parcel, dropped: u64) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if 10_u64.checked_pow(dropped.max(1).ilog10()) == Some(dropped) {
            let destination = delivery::destination(&parcel.errand);
            tracing::error!(destination, dropped, "messages are dropped: too many wait");
            self.tell(Trouble::Dropped {
                destination,
                dropped,
            });
        }
    }

    /// The next parcel of a queue, and since when it waits. None: the queue is empty, and is gone.
    fn next(&self, key: &Errand) -> Option<(Parcel, Instant)> {
        let mut waiting = self.waiting();
        let queue = waiting.get_mut(key)?;
        queue.is_busy = false;
        let next = queue.parcels.pop_front();
        match next {
            Some(_) => queue.is_busy = true,
            None => drop(waiting.remove(key)),
        }
        next
    }

    /// What wakes the task of a queue.
    fn again(&self, key: &Errand) -> Arc<Notify> {
        let waiting = self.waiting();
        let queue = waiting.get(key);
        queue.map(|queue| queue.again.clone()).unwrap_or_default()
    }

    /// Of a destination that takes nothing, or one that takes again.
    fn failing<T>(&self, key: &Errand, change: impl FnOnce(&mut Option<Failing>) -> T) -> T {
        let mut waiting = self.waiting();
        match waiting.get_mut(key) {
            Some(queue) => change(&mut queue.failing),
            // Only the task of a queue takes it away.
            None => change(&mut None),
        }
    }

    /// Wakes what waits for the destination of an errand; all mail goes by one relay.
    fn went_through(&self, errand: &Errand) {
        let is_mail = |it: &Errand| matches!(it, Errand::Mail { .. });
        for (key, queue) in self.waiting().iter() {
            let Some(failing) = &queue.failing else {
                continue;
            };
            let is_due = || failing.tried.elapsed() >= RELAY_TRIES;
            if key == errand || is_mail(key) && is_mail(errand) && is_due() {
                queue.again.notify_one();
            }
        }
    }

    /// It failed for good, and is told of.
    fn failed(&self, parcel: &Parcel, why: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.say_failed(parcel, why);
    }

    fn say_failed(&self, parcel: &Parcel, why: String) {
        let rule = parcel.rule.clone();
        tracing::warn!(rule, why, "a message could not be delivered");
        self.tell(Trouble::Failed {
            rule,
            id: parcel.message.id,
            why,
        });
    }

    /// It waited too long: counted, and told of the first, the tenth, the hundredth ...
    fn give_up(&self, key: &Errand, why: &str) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let given_up = self.failing(key, |failing| {
            failing.as_mut().map_or(1, |failing| {
                failing.given_up += 1;
                failing.given_up
            })
        });
        if 10_u64.checked_pow(given_up.max(1).ilog10()) == Some(given_up) {
            let destination = delivery::destination(key);
            tracing::error!(destination, given_up, why, "messages are given up");
            self.tell(Trouble::GivenUp {
                destination,
                given_up,
                why: why.to_owned(),
            });
        }
    }

    /// A try failed that may go through later: how long to wait, and how many there were by now.
    fn note_try(&self, key: &Errand, why: &str) -> (Duration, usize) {
        let now_ms = wall_ms();
        self.failing(key, |failing| {
            let it = failing.get_or_insert_with(|| Failing {
                since_ms: now_ms,
                next_ms: now_ms,
                why: String::new(),
                tries: 0,
                given_up: 0,
                tried: Instant::now(),
            });
            it.tries += 1;
            it.tried = Instant::now();
            it.why = why.to_owned();
            let pause = self.patience.pause(it.tries);
            it.next_ms = now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(0));
            (pause, it.tries)
        })
    }

    fn tell(&self, trouble: Trouble) {
        if self.troubles.try_send(trouble).is_err() {
            tracing::error!("more deliveries fail than can be told as messages");
        }
    }
}

/// Delivers one after another until nothing waits there.
async fn empty(shared: Arc<Shared>, key: Errand) {
    // Why the last try failed, of a destination that takes nothing.
    let mut last_why: Option<String> = None;
    while let Some((parcel, since)) = shared.next(&key) {
        let mut refused = 0;
        loop {
            // What waited too long behind another is not tried at all.
            let is_late = since.elapsed() >= shared.patience.limit;
            if let Some(why) = last_why.as_ref().filter(|_| is_late) {
                shared.give_up(&key, why);
                break;
            }
            let failed = match attempt(&shared, &parcel).await {
                Ok(()) => {
                    last_why = None;
                    shared.failing(&key, |failing| *failing = None);
                    shared.went_through(&key);
                    break;
                }
                Err(failed) => failed,
            };
            let pause = match failed.again {
                true => {
                    let (pause, tries) = shared.note_try(&key, &failed.why);
                    if tries == TRIES {
                        let why = format!("{}; it is tried again for 12 hours", failed.why);
                        shared.say_failed(&parcel, why);
                    }
                    last_why = Some(failed.why);
                    pause
                }
                false => {
                    refused += 1;
                    if refused >= TRIES {
                        shared.failed(&parcel, failed.why);
                        break;
                    }
                    shared.patience.pause(refused)
                }
            };
            // Whichever comes first; the queue of this task is there.
            let again = shared.again(&key);
            let _ = tokio::time::timeout(pause, again.notified()).await;
        }
    }
}

async fn attempt(shared: &Shared, parcel: &Parcel) -> Result<(), Undelivered> {
    let once = delivery::once(&parcel.message, &parcel.errand, &shared.means);
    let panicked = |_| {
        let why = "a fault of the manager's own: see its log";
        Err(Undelivered::for_good(why))
    };
    caught("a delivery", pin!(once))
        .await
        .unwrap_or_else(panicked)
}

#[cfg(test)]
mod tests;
