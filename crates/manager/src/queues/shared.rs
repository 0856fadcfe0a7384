//! What the tasks of all queues work with.

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
use crate::logged::or_log;
use crate::targets::Errand;
use crate::undelivered::{Again, Patience, Undelivered};

pub(super) struct Shared {
    pub(super) means: Means,
    /// By the whole errand: two that differ in anything are two destinations.
    waiting: Mutex<HashMap<Errand, Queue>>,
    troubles: mpsc::Sender<Trouble>,
    pub(super) patience: Patience,
    site: Arc<dyn Site>,
    pub(super) dropped: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) given_up: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        means: Means,
        patience: Patience,
        site: Arc<dyn Site>,
        troubles: mpsc::Sender<Trouble>,
    ) -> Shared {
        Shared {
            means,
            waiting: Mutex::default(),
            troubles,
            patience,
            site,
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        }
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, HashMap<Errand, Queue>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one that was dropped; tells the first, the tenth, the hundredth ...
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

    /// The next of a queue. None: the queue is empty, and its task ends; it is gone unless its
    /// destination takes nothing.
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

    /// Puts one back that did not go through: it stays the first until it has failed a few times,
    /// then those behind it have their turn; it may be that it alone does not go through.
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

    /// Why a destination takes nothing; none: it takes, as far as is known.
    pub(super) fn why_failing(&self, key: &Errand) -> Option<String> {
        let waiting = self.waiting();
        let failing = waiting.get(key)?.failing.as_ref();
        failing.map(|it| it.why.clone())
    }

    /// Wakes what waits for the destination of an errand; all mail goes by one relay.
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

    /// One went through: its destination takes again.
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

    /// It was refused for good, or failed as often as it may: it is told of and given up.
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

    /// It waited too long for a destination that takes nothing.
    pub(super) async fn give_up_late(&self, key: &Errand, it: &Waiting, why: &str) {
        let why = format!("after {DELIVERY_TRIED_HOURS} hours of tries: {why}");
        self.give_up(key, it, why, false).await;
    }

    /// It is counted, and told of the first, the tenth, the hundredth ... `is_told`: that this one is
    /// given up is told already, so that the first of all is no news.
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

    /// A try failed that may go through later: how long to wait. It is told once that a destination
    /// takes nothing, and of one message only once that it does not go through.
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
            tracing::error!("more deliveries fail than can be told as messages");
        }
    }
}

/// 1, 10, 100 ...
pub(crate) fn is_power(count: u64) -> bool {
    10_u64.checked_pow(count.max(1).ilog10()) == Some(count)
}
