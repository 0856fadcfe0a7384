//! A ledger whose log is in memory: what was committed survives the process, nothing else.

use std::collections::BTreeSet;

use usher_core::ledger::*;

use super::kept::KeptLedger;
use crate::clock::Moment;

/// A ledger that is kept in memory.
#[derive(Debug)]
pub(super) struct Memory {
    ledger: Ledger,
    /// What recovery would build from the disk: it absorbs what is committed and decides nothing.
    disk: Ledger,
    /// Leases that have ended.
    ended: BTreeSet<EventNumber>,
    /// A planted fault: a batch is answered before it is durable.
    answers_early: bool,
    in_memory_only: Vec<Batch>,
}

impl Memory {
    pub(super) fn new(answers_early: bool) -> Memory {
        let ledger = Ledger::new(Incarnation(1));
        Memory {
            disk: ledger.clone(),
            ledger,
            ended: BTreeSet::new(),
            answers_early,
            in_memory_only: Vec::new(),
        }
    }

    /// Writes all but the last so many batches.
    fn flush(&mut self, but: usize) {
        let until = self.in_memory_only.len().saturating_sub(but);
        for batch in self.in_memory_only.drain(..until) {
            for (number, event) in (batch.first..).zip(batch.events.iter()) {
                self.disk.absorb(batch.at, EventNumber(number), event);
                if let Event::Ended { lease, .. } = event {
                    self.ended.insert(*lease);
                }
            }
            self.disk.seal();
        }
    }
}

impl KeptLedger for Memory {
    fn open(&mut self, _: Moment) {}

    fn commit(&mut self, now: Moment, command: Command) -> Option<Reply> {
        let reply = self.ledger.apply(now.now(), command);
        let batch = self.ledger.seal();
        self.in_memory_only.push(batch);
        if !self.answers_early {
            self.flush(0);
        }
        self.flush(1);
        Some(reply)
    }

    fn cut_off(&mut self, now: Moment, command: Command, committed: bool) {
        if committed {
            self.commit(now, command);
        } else {
            self.ledger.apply(now.now(), command);
        }
    }

    fn close(&mut self, now: Moment) {
        self.flush(0);
        self.kill(now);
    }

    fn kill(&mut self, _: Moment) {
        self.in_memory_only.clear();
        self.ledger = self.disk.clone();
    }

    fn has_ended(&self, lease: EventNumber) -> bool {
        self.ended.contains(&lease)
    }

    fn wrong_recoveries(&self) -> u64 {
        0
    }
}
