//! The batch that is being built: its events, how it is sealed, and how it is undone.

use super::*;
use crate::ledger::kept::pool::Reviewed;
use crate::ledger::state::undo::Undo;
use crate::ledger::words::event::Event;

/// How many events the buffer that batches reuse has room for.
const ROOM_EVENTS: usize = 4_096;

impl Ledger {
    /// Ends the batch that is being built. Its events are valid once they are durable.
    pub fn seal(&mut self) -> Batch {
        let batch = Batch {
            first: self.first_number,
            at: self.now,
            // The vector keeps its room for the next batch.
            events: self.events.drain(..).collect(),
        };
        self.events.shrink_to(ROOM_EVENTS);
        let mut undos = std::mem::take(&mut self.undos);
        for undo in undos.iter().rev() {
            self.settle(undo);
        }
        undos.clear();
        undos.shrink_to(ROOM_EVENTS);
        self.undos = undos;
        self.first_number = self.next_number;
        self.denials.prune(self.now.steady);
        self.memory.prune(self.now.steady);
        batch
    }

    /// The events of the batch that is being built.
    pub fn pending(&self) -> &[Event] {
        &self.events
    }

    /// The number of the first event of the batch that is being built.
    pub fn pending_first(&self) -> u64 {
        self.first_number
    }

    /// Undoes the batch that is being built, as if its commands had never come.
    pub fn undo(&mut self) {
        while let Some(undo) = self.undos.pop() {
            self.take_back(undo);
        }
        self.events.clear();
        self.next_number = self.first_number;
        for pool in self.pools.values_mut() {
            pool.reviewed = Reviewed::default();
        }
    }

    /// Applies a recorded event; recovery decides nothing.
    pub fn absorb(&mut self, at: Now, number: EventNumber, event: &Event) {
        self.now = at;
        let undo = self.change(number, event);
        self.settle(&undo);
        self.next_number = number.0 + 1;
        self.first_number = self.next_number;
    }

    /// Drops what was kept for an undo of the last batch.
    fn settle(&mut self, undo: &Undo) {
        if let Undo::Ended { slot, .. } = undo {
            self.leases.forget(*slot);
        }
    }

    pub(super) fn emit(&mut self, event: Event) {
        let number = EventNumber(self.next_number);
        self.next_number += 1;
        let undo = self.change(number, &event);
        self.undos.push(undo);
        self.events.push(event);
    }

    pub(super) fn next_lease_id(&self) -> LeaseId {
        LeaseId {
            incarnation: self.incarnation,
            number: EventNumber(self.next_number),
        }
    }

    pub(super) fn next_ticket_id(&self) -> TicketId {
        TicketId {
            incarnation: self.incarnation,
            number: EventNumber(self.next_number),
        }
    }

    pub(super) fn next_decision_id(&self) -> DecisionId {
        DecisionId {
            incarnation: self.incarnation,
            number: EventNumber(self.next_number),
        }
    }
}
