//! What callers and the writer share: the inbox, the readers' connections, and the writer's state.

mod calls;
mod going;

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::base::clock::Clock;
use crate::queue::inbox::{Inbox, Item, refuse};
use crate::queue::requests::{Failure, Request};
use crate::queue::turn::Turn;
use crate::queue::weight::{bytes_of, bytes_of_request};

pub(crate) use calls::Cost;
pub(crate) use going::PROVED;

/// How long a caller waits for the disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// Locks even after a panic elsewhere: each of these values is set in one step, so it is
/// consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Shared {
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    ended: Condvar,
    pub(crate) path: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    /// The running pack, if there is one.
    pub(crate) pack: Turn,
    /// Locks that are held until the file is closed: one process for each data directory and data
    /// file.
    held: Mutex<Option<[File; 2]>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Vec<Connection>>,
    /// When the current disk operation began, on the boot clock plus one; 0: there is none.
    asked_ms: AtomicU64,
    trouble: Mutex<Option<(String, i64)>>,
    batches: AtomicU64,
    events: AtomicU64,
    /// How many durable events the tables do not hold yet.
    behind: AtomicU64,
    /// How many pages were written to the log since the file was opened.
    logged_pages: AtomicU64,
    /// The size in bytes of a log whose checkpoint a reader prevents; 0: there is none.
    held_log_bytes: AtomicU64,
}

impl Shared {
    pub(crate) fn new(path: PathBuf, clock: Arc<dyn Clock>, locks: Option<[File; 2]>) -> Shared {
        Shared {
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            ended: Condvar::new(),
            path,
            clock,
            pack: Turn::default(),
            held: Mutex::new(locks),
            thread: Mutex::default(),
            readers: Mutex::default(),
            asked_ms: AtomicU64::new(0),
            trouble: Mutex::default(),
            batches: AtomicU64::new(0),
            events: AtomicU64::new(0),
            behind: AtomicU64::new(0),
            logged_pages: AtomicU64::new(0),
            held_log_bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn submit(&self, requests: &mut Vec<Request>) {
        // Everybody waits for the lock; a report is long to weigh.
        let weights: Vec<usize> = requests.iter().map(bytes_of_request).collect();
        let mut inbox = lock(&self.inbox);
        let closing = inbox.closing;
        let mut refused = Vec::new();
        let mut taken = 0;
        for (bytes, request) in weights.into_iter().zip(requests.drain(..)) {
            let item = Item::Request(request);
            let left = match closing {
                true => Some(item),
                false => inbox.take_in(item, bytes),
            };
            match left {
                None => taken += 1,
                Some(item) => refused.push(item),
            }
        }
        inbox.came(taken);
        let wakes = taken > 0 && std::mem::take(&mut inbox.is_awaited);
        drop(inbox);
        if wakes {
            self.arrived.notify_one();
        }
        if !refused.is_empty() {
            let failure = if closing {
                Failure::Stopping
            } else {
                Failure::Busy
            };
            refuse(refused, &failure);
        }
    }

    fn push(&self, item: Item) {
        let bytes = bytes_of(&item);
        let mut inbox = lock(&self.inbox);
        let (left, failure) = match inbox.closing {
            true => (Some(item), Failure::Stopping),
            false => (inbox.take_in(item, bytes), Failure::Busy),
        };
        if let Some(item) = left {
            drop(inbox);
            refuse(vec![item], &failure);
            return;
        }
        inbox.came(1);
        let wakes = std::mem::take(&mut inbox.is_awaited);
        drop(inbox);
        if wakes {
            self.arrived.notify_one();
        }
    }

    /// Refuses requests that have waited for longer than `at_most` and were not handed to the
    /// writer: they were not and will not be applied.
    pub(crate) fn refuse_late(&self, at_most: Duration) {
        let late = lock(&self.inbox).drain_late(at_most);
        refuse(late, &Failure::Busy);
    }

    /// Waits until something has arrived, no longer than `patience`; answers whether it has.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> bool {
        let mut inbox = lock(&self.inbox);
        while inbox.items.is_empty() && !inbox.closing {
            inbox.is_awaited = true;
            match patience {
                None => {
                    inbox = self
                        .arrived
                        .wait(inbox)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Some(patience) => {
                    let waited = self.arrived.wait_timeout(inbox, patience);
                    inbox = waited.unwrap_or_else(PoisonError::into_inner).0;
                    break;
                }
            }
        }
        inbox.is_awaited = false;
        !inbox.items.is_empty()
    }

    /// Takes what has arrived, at most `limit` items; answers also whether the engine is closing.
    pub(crate) fn take(&self, limit: usize) -> (Vec<Item>, bool) {
        let mut inbox = lock(&self.inbox);
        let count = inbox.items.len().min(limit);
        (inbox.drain(count), inbox.closing)
    }

    pub(crate) fn waiting(&self) -> usize {
        lock(&self.inbox).items.len()
    }

    pub(crate) fn keep(&self, thread: JoinHandle<()>) {
        *lock(&self.thread) = Some(thread);
    }

    pub(crate) fn closed(&self) {
        drop(lock(&self.held).take());
        lock(&self.inbox).closed = true;
        self.ended.notify_all();
    }

    /// Accepts nothing from now on.
    pub(crate) fn begin_to_close(&self) {
        lock(&self.inbox).closing = true;
        self.arrived.notify_one();
    }

    /// Asks the writer to finish and waits for it, but not for ever, because a disk may hang.
    pub(crate) fn close(&self) {
        self.begin_to_close();
        self.pack.stop();
        let mut inbox = lock(&self.inbox);
        while !inbox.closed {
            let (next, waited) = self
                .ended
                .wait_timeout(inbox, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            inbox = next;
            if waited.timed_out() {
                tracing::error!("the disk does not answer: the journal is left as it is");
                return;
            }
        }
        drop(inbox);
        if let Some(thread) = lock(&self.thread).take() {
            // A panic of the writer has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}
