//! One queue for each destination of messages, so that one that hangs holds up no other.
//!
//! A queue has a task for as long as something waits in it, and takes messages up to a limit; what
//! comes beyond is dropped, counted and told.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use usher_vital::caught;

use crate::delivery::{self, Means, Parcel};
use crate::targets::Errand;

/// Messages that may wait for one destination.
pub(crate) const WAITING_LIMIT: usize = 1_000;
/// Destinations for which something may wait at the same time: rules name fewer as a rule.
const DESTINATIONS_LIMIT: usize = 256;
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
    dropped: AtomicU64,
    failed: AtomicU64,
}

#[derive(Default)]
struct Queue {
    parcels: VecDeque<Parcel>,
    dropped: u64,
}

impl Queues {
    /// No queue yet; troubles come out of the receiver.
    pub(crate) fn new(means: Means) -> (Queues, mpsc::Receiver<Trouble>) {
        let (troubles, told) = mpsc::channel(TROUBLES_LIMIT);
        let shared = Shared {
            means,
            waiting: Mutex::default(),
            troubles,
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
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
    pub(crate) fn send(&self, parcel: Parcel, runtime: &tokio::runtime::Handle) {
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
        queue.parcels.push_back(parcel);
        drop(waiting);
        if is_new {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that are done are forgotten.
            while tasks.try_join_next().is_some() {}
            tasks.spawn_on(empty(self.shared.clone(), key), runtime);
        }
    }

    /// How many were dropped, failed, and wait now.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let waiting = self.shared.waiting();
        let waits = waiting.values().map(|queue| queue.parcels.len() as u64);
        (
            load(&self.shared.dropped),
            load(&self.shared.failed),
            waits.sum(),
        )
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

    fn tell(&self, trouble: Trouble) {
        if self.troubles.try_send(trouble).is_err() {
            tracing::error!("more deliveries fail than can be told as messages");
        }
    }
}

/// Delivers one after another until nothing waits there.
async fn empty(shared: Arc<Shared>, key: Errand) {
    loop {
        let parcel = {
            let mut waiting = shared.waiting();
            let next = waiting.get_mut(&key).and_then(|it| it.parcels.pop_front());
            match next {
                Some(parcel) => parcel,
                None => {
                    waiting.remove(&key);
                    return;
                }
            }
        };
        let delivered = caught(
            "a delivery",
            pin!(delivery::deliver(&parcel, &shared.means)),
        )
        .await;
        let panicked = |_| Err("a fault of the manager's own: see its log".to_owned());
        if let Err(why) = delivered.unwrap_or_else(panicked) {
            let rule = parcel.rule.clone();
            tracing::warn!(rule, why, "a message could not be delivered");
            shared.failed.fetch_add(1, Ordering::Relaxed);
            shared.tell(Trouble::Failed {
                rule,
                id: parcel.message.id,
                why,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use usher_api::{StatusMessage, Timestamp};

    const PATIENCE: Duration = Duration::from_secs(20);

    fn parcel(errand: &Errand) -> Parcel {
        let at = Timestamp::UNIX_EPOCH;
        let message = StatusMessage {
            record_id: 1,
            id: 9411,
            severity: "warning".to_owned(),
            kind: "milestone".to_owned(),
            component: String::new(),
            computer: String::new(),
            site: String::new(),
            server: None,
            time: at,
            values: Vec::new(),
            text: "it is so".to_owned(),
            count: 1,
            first_at: at,
            last_at: at,
            recovered_at: None,
        };
        Parcel {
            rule: "everything".to_owned(),
            errand: errand.clone(),
            message: Arc::new(message),
        }
    }

    fn run(script: &str) -> Errand {
        Errand::Run {
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            timeout_seconds: 60,
        }
    }

    fn queues() -> (Queues, mpsc::Receiver<Trouble>) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Queues::new(Means {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            mail: crate::MailOptions::default(),
            authority: None,
        })
    }

    async fn told(troubles: &mut mpsc::Receiver<Trouble>) -> Trouble {
        let told = tokio::time::timeout(PATIENCE, troubles.recv()).await;
        told.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_is_too_much_for_one_destination_is_dropped_counted_and_told() {
        let (queues, mut troubles) = queues();
        let here = tokio::runtime::Handle::current();
        let hangs = run("exec sleep 60");
        for _ in 0..=WAITING_LIMIT + 10 {
            queues.send(parcel(&hangs), &here);
        }
        for dropped in [1, 10] {
            let trouble = Trouble::Dropped {
                destination: "the program /bin/sh".to_owned(),
                dropped,
            };
            assert_eq!(told(&mut troubles).await, trouble);
        }
        let (dropped, failed, waits) = queues.counts();
        assert_eq!((dropped, failed), (11, 0));
        // One may be on its way.
        assert!(waits + 1 >= WAITING_LIMIT as u64, "{waits}");
        // Another destination goes its way.
        queues.send(parcel(&run("exit 3")), &here);
        let failed = told(&mut troubles).await;
        assert!(matches!(&failed, Trouble::Failed { why, .. } if why.contains("exit status: 3")));
    }

    #[tokio::test]
    async fn a_queue_that_is_empty_keeps_nothing() {
        let (queues, mut troubles) = queues();
        let here = tokio::runtime::Handle::current();
        queues.send(parcel(&run("exit 1")), &here);
        told(&mut troubles).await;
        let emptied = async {
            while !queues.shared.waiting().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, emptied).await.unwrap();
        assert_eq!(queues.counts(), (0, 1, 0));
    }
}
