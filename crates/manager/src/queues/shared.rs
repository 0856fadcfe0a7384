//! The state that the tasks of all queues share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};
use tokio::time::{Duration, Instant};
use usher_core::messages::DELIVERY_TRIED_HOURS;
use usher_site::Site;

use super::queue::{Failing, Queue, Waiting};
use super::{RELAY_TRIES, TRIES, Trouble};
use crate::clock::wall_ms;
use crate::delivery::{self, Means, Parcel};
use crate::leading::Leading;
use crate::logged::or_log;
use crate::targets::Errand;
use crate::undelivered::{Again, Patience, Undelivered};

pub(super) struct Shared {
    pub(super) means: Means,
    /// The queues, by errand: two errands that differ in anything are two destinations.
    waiting: Mutex<HashMap<Errand, Queue>>,
    troubles: mpsc::Sender<Trouble>,
    pub(super) patience: Patience,
    site: Arc<dyn Site>,
    /// The lead under which it is delivered.
    pub(super) leading: Leading,
    pub(super) dropped: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) given_up: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        means: Means,
        patience: Patience,
        site: Arc<dyn Site>,
        leading: Leading,
        troubles: mpsc::Sender<Trouble>,
    ) -> Shared {
        Shared {
            means,
            waiting: Mutex::default(),
            troubles,
            patience,
            site,
            leading,
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        }
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, HashMap<Errand, Queue>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a dropped message; reports the first, the tenth, the hundredth ...
    pub(super) fn drop_one(&self, errand: &Errand, dropped: u64) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if is_power(dropped) {
            let destination = delivery::destination(errand);
            tracing::error!(destination, dropped, "messages are dropped: too many wait");
            self.tell(Trouble::Dropped {
                destination,
                dropped,
            });
        }
    }

    /// The next message of a queue. None: the queue is empty, and its task ends; the queue is
    /// removed unless its destination fails.
    pub(super) fn next(&self, key: &Errand) -> Option<Waiting> {
        let mut waiting = self.waiting();
        let queue = waiting.get_mut(key)?;
        let next = queue.parcels.pop_front();
        queue.is_busy = next.is_some();
        if next.is_none() {
            (queue.is_running, queue.dropped) = (false, 0);
            if queue.is_idle() && queue.failing.is_none() {
                waiting.remove(key);
            }
        }
        next
    }

    /// Puts a message back after its delivery failed. It stays the first until it has failed a few
    /// times; then the next ones have their turn, because perhaps only this one fails.
    pub(super) fn put_back(&self, key: &Errand, mut it: Waiting) {
        let mut waiting = self.waiting();
        // Only the task of a queue takes it away.
        let Some(queue) = waiting.get_mut(key) else {
            return;
        };
        queue.is_busy = false;
        match it.tries % TRIES {
            0 => {
                it.tries = 0;
                queue.parcels.push_back(it);
            }
            _ => queue.parcels.push_front(it),
        }
    }

    /// What wakes the task of a queue.
    pub(super) fn again(&self, key: &Errand) -> Arc<Notify> {
        let waiting = self.waiting();
        let queue = waiting.get(key);
        queue.map(|queue| queue.again.clone()).unwrap_or_default()
    }

    /// Why a destination fails; none: it does not, as far as is known.
    pub(super) fn why_failing(&self, key: &Errand) -> Option<String> {
        let waiting = self.waiting();
        let failing = waiting.get(key)?.failing.as_ref();
        failing.map(|it| it.why.clone())
    }

    /// Wakes the queues that use the same destination as an errand; all mail uses one relay.
    pub(super) fn went_through(&self, errand: &Errand) {
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

    /// Notes a success: the destination works again.
    pub(super) async fn delivered(&self, key: &Errand, it: &Waiting) {
        let (was_failing, destination) = {
            let mut waiting = self.waiting();
            let queue = waiting.get_mut(key);
            queue.map_or((false, None), |queue| {
                let was_failing = queue.failing.take().is_some();
                (was_failing, Some(queue.destination.to_string()))
            })
        };
        self.went_through(key);
        if was_failing || it.parcel.kept.is_some() {
            let destination = destination.unwrap_or_default();
            or_log(self.site.delivered(it.parcel.kept, destination).await);
        }
    }

    /// Gives up a message that was refused for good or has failed too often, and reports it.
    pub(super) async fn refused(&self, key: &Errand, it: &Waiting, failed: Undelivered) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let for_good = match failed.again {
            Again::Never => "refused for good".to_owned(),
            Again::Soon | Again::Later => format!("tried {TRIES} times"),
        };
        let why = failed.why;
        self.say_failed(&it.parcel, format!("{why}; {for_good}, it is given up"));
        if let Some(queue) = self.waiting().get_mut(key) {
            let failing = queue.failing.get_or_insert_with(Failing::now);
            failing.tried = Instant::now();
            failing.why.clone_from(&why);
        }
        self.give_up(key, it, format!("{for_good}: {why}"), true)
            .await;
    }

    fn say_failed(&self, parcel: &Parcel, why: String) {
        let rule = parcel.rule.clone();
        let why = format!("{}: {why}", delivery::destination(&parcel.errand));
        tracing::warn!(rule, why, "a message could not be delivered");
        self.tell(Trouble::Failed {
            rule,
            id: parcel.message.id,
            why,
        });
    }

    /// Gives up a message that waited too long for a failing destination.
    pub(super) async fn give_up_late(&self, key: &Errand, it: &Waiting, why: &str) {
        let why = format!("after {DELIVERY_TRIED_HOURS} hours of tries: {why}");
        self.give_up(key, it, why, false).await;
    }

    /// Counts a message that is given up, and reports the first, the tenth, the hundredth ...
    /// `is_told`: that this one is given up was already reported, so the first one is no news.
    async fn give_up(&self, key: &Errand, it: &Waiting, why: String, is_told: bool) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
        let row = {
            let mut waiting = self.waiting();
            waiting.get_mut(key).and_then(|queue| {
                queue.failing.as_mut()?.given_up += 1;
                queue.row()
            })
        };
        let given_up = row.as_ref().map_or(1, |row| row.given_up);
        if is_power(given_up) && !(is_told && given_up == 1) {
            let destination = delivery::destination(key);
            tracing::error!(destination, given_up, why, "messages are given up");
            self.tell(Trouble::GivenUp {
                destination,
                given_up,
                why,
            });
        }
        or_log(self.site.give_up(it.parcel.kept, row).await);
    }

    /// Notes a failed try that will be repeated; answers how long to wait. A failing destination is
    /// reported once, and each message at most once.
    pub(super) async fn put_off(&self, key: &Errand, it: &mut Waiting, why: String) -> Duration {
        let (pause, tries, row) = {
            let mut waiting = self.waiting();
            let Some(queue) = waiting.get_mut(key) else {
                return self.patience.limit;
            };
            let failing = queue.failing.get_or_insert_with(Failing::now);
            failing.tries += 1;
            failing.tried = Instant::now();
            failing.why.clone_from(&why);
            let pause = self.patience.pause(failing.tries);
            let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(0);
            failing.next_ms = wall_ms().saturating_add(pause_ms);
            (pause, failing.tries, queue.row())
        };
        if tries == TRIES && !it.is_told {
            it.is_told = true;
            self.say_failed(
                &it.parcel,
                format!("{why}; it is tried again for {DELIVERY_TRIED_HOURS} hours"),
            );
        }
        if let Some(row) = row {
            or_log(self.site.put_off(it.parcel.kept, it.is_told, row).await);
        }
        pause
    }

    fn tell(&self, trouble: Trouble) {
        if self.troubles.try_send(trouble).is_err() {
            tracing::error!("more deliveries fail than can be reported as messages");
        }
    }
}

/// Whether a count is 1, 10, 100 ...
pub(crate) fn is_power(count: u64) -> bool {
    10_u64.checked_pow(count.max(1).ilog10()) == Some(count)
}
