//! Long polls of tickets: woken when a change of their ticket is durable.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use tokio::sync::Notify;
use usher_core::ledger::{Batch, Event, EventNumber, TicketState};

#[derive(Default)]
pub(crate) struct Watchers {
    /// The number of watchers, so that the writer has nothing to do while there are none.
    count: AtomicUsize,
    by_ticket: Mutex<FxHashMap<EventNumber, (usize, Arc<Notify>)>>,
}

impl Watchers {
    /// Adds a watcher of a ticket, which misses no change from now on.
    pub(crate) fn watch(self: &Arc<Self>, ticket: EventNumber) -> TicketWatch {
        let mut by_ticket = self
            .by_ticket
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (watchers, changed) = by_ticket.entry(ticket).or_default();
        *watchers += 1;
        let changed = changed.clone();
        self.count.fetch_add(1, Ordering::SeqCst);
        TicketWatch {
            watchers: self.clone(),
            ticket,
            changed,
        }
    }

    /// Wakes the watchers of tickets that have changed. Called by the writer.
    pub(crate) fn tell(&self, batch: &Batch) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let changed = batch.events.iter().filter_map(|event| match event {
            // A poll's own lengthening of its place is no news.
            Event::TicketChanged {
                state: TicketState::Waiting { .. },
                ..
            } => None,
            Event::TicketChanged { ticket, .. } | Event::TicketForgotten { ticket } => {
                Some(*ticket)
            }
            _ => None,
        });
        let by_ticket = self
            .by_ticket
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for ticket in changed {
            if let Some((_, changed)) = by_ticket.get(&ticket) {
                changed.notify_waiters();
            }
        }
    }
}

/// A watcher; dropping it ends the watch.
pub(crate) struct TicketWatch {
    watchers: Arc<Watchers>,
    ticket: EventNumber,
    changed: Arc<Notify>,
}

impl TicketWatch {
    /// The next change: take it before looking at the ticket, await it after.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}

impl Drop for TicketWatch {
    fn drop(&mut self) {
        self.watchers.count.fetch_sub(1, Ordering::SeqCst);
        let mut by_ticket = self
            .watchers
            .by_ticket
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((watchers, _)) = by_ticket.get_mut(&self.ticket) {
            *watchers -= 1;
            if *watchers == 0 {
                by_ticket.remove(&self.ticket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::ledger::Steady;

    fn batch(state: TicketState) -> Batch {
        Batch {
            events: Arc::from([Event::TicketChanged {
                ticket: EventNumber(7),
                state,
            }]),
            ..Batch::default()
        }
    }

    #[tokio::test]
    async fn a_change_between_looking_and_waiting_is_not_missed() {
        let watchers = Arc::new(Watchers::default());
        let watch = watchers.watch(EventNumber(7));
        let changed = watch.changed();
        watchers.tell(&batch(TicketState::Expired {
            forget_at: Steady(1),
        }));
        changed.await;
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let watchers = Arc::new(Watchers::default());
        let first = watchers.watch(EventNumber(7));
        let second = watchers.watch(EventNumber(7));
        drop(first);
        assert_eq!(watchers.by_ticket.lock().unwrap().len(), 1);
        drop(second);
        assert!(watchers.by_ticket.lock().unwrap().is_empty());
        assert_eq!(watchers.count.load(Ordering::SeqCst), 0);
    }
}
