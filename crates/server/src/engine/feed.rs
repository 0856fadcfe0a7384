//! What happens, for who follows it live (`GET /v1/events`).
//!
//! The writer hands over batches only while someone listens, and never waits: beyond the bound
//! the newest are dropped and counted. One task looks up the names and writes each event once;
//! who reads too slowly is told how many it missed and goes on.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, broadcast};
use usher_core::ledger::{Batch, Event, EventNumber};

/// How many public events may wait to be written.
pub(crate) const BACKLOG_LIMIT: usize = 65_536;
/// How many written events a listener may be behind.
const BEHIND_LIMIT: usize = 4_096;

/// A batch's public events, with their numbers.
pub(crate) type Facts = Vec<(EventNumber, i64, Event)>;

/// One event in its final form, or the number of events that were dropped.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A whole server-sent event.
    Event(Arc<str>),
    /// How many events are missing.
    Missed(u64),
}

#[derive(Default)]
struct Backlog {
    facts: Facts,
    missed: u64,
}

pub(crate) struct Feed {
    listeners: AtomicUsize,
    backlog: Mutex<Backlog>,
    arrived: Notify,
    out: broadcast::Sender<Item>,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed {
            listeners: AtomicUsize::new(0),
            backlog: Mutex::default(),
            arrived: Notify::new(),
            out: broadcast::channel(BEHIND_LIMIT).0,
        }
    }
}

impl Feed {
    /// Takes the events of a durable batch. Called by the writer.
    pub(crate) fn take_in(&self, batch: &Batch) {
        if self.listeners.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, event) in (batch.first..).zip(batch.events.iter()) {
            if !event.is_public() {
                continue;
            }
            match backlog.facts.len() < BACKLOG_LIMIT {
                true => {
                    let number = EventNumber(number);
                    backlog.facts.push((number, batch.at.wall.0, event.clone()));
                }
                false => backlog.missed += 1,
            }
        }
        drop(backlog);
        self.arrived.notify_one();
    }

    /// Adds a listener.
    pub(crate) fn listen(self: &Arc<Self>) -> Listener {
        let events = self.out.subscribe();
        self.listeners.fetch_add(1, Ordering::Relaxed);
        Listener {
            feed: self.clone(),
            events,
        }
    }

    /// Whether anyone listens.
    pub(crate) fn has_listeners(&self) -> bool {
        self.listeners.load(Ordering::Relaxed) > 0
    }

    /// Waits for events to write, and the number of those that were dropped after them.
    pub(crate) async fn arrived(&self) -> (Facts, u64) {
        loop {
            {
                let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
                if !backlog.facts.is_empty() || backlog.missed > 0 {
                    let backlog = std::mem::take(&mut *backlog);
                    return (backlog.facts, backlog.missed);
                }
            }
            self.arrived.notified().await;
        }
    }

    /// Sends one item to all listeners.
    pub(crate) fn send(&self, item: Item) {
        // Nobody listens any more: then nobody misses it.
        let _ = self.out.send(item);
    }
}

/// A listener; dropping it ends the subscription.
pub(crate) struct Listener {
    feed: Arc<Feed>,
    events: broadcast::Receiver<Item>,
}

impl Listener {
    /// Waits for the next item; none: the feed has ended.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        match self.events.recv().await {
            Ok(item) => Some(item),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Item::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.feed.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::ledger::ProductNumber;

    fn batch(events: usize) -> Batch {
        let event = Event::ProductRemoved {
            product: ProductNumber(1),
        };
        Batch {
            first: 1,
            events: vec![event; events].into(),
            ..Batch::default()
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_while_nobody_listens_and_the_bound_is_counted() {
        let feed = Arc::new(Feed::default());
        feed.take_in(&batch(1));
        let listener = feed.listen();
        feed.take_in(&batch(BACKLOG_LIMIT + 3));
        let (facts, missed) = feed.arrived().await;
        assert_eq!((facts.len(), missed), (BACKLOG_LIMIT, 3));
        drop(listener);
        assert!(!feed.has_listeners());
    }

    #[tokio::test]
    async fn who_reads_too_slowly_learns_how_many_it_missed() {
        let feed = Arc::new(Feed::default());
        let mut listener = feed.listen();
        for _ in 0..BEHIND_LIMIT + 10 {
            feed.send(Item::Event("x".into()));
        }
        assert!(matches!(listener.next().await, Some(Item::Missed(10))));
        assert!(matches!(listener.next().await, Some(Item::Event(_))));
    }
}
