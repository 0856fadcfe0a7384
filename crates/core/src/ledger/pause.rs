//! When nobody gets a seat: while the service is paused, and for a while after a restore.
//!
//! Leases live on, are renewed and given back, and who waits keeps the place. A pause holds off all
//! new seats alike, those of a queue and of agents' reports too.

use super::*;
use crate::ledger::words::event::Event;

impl Ledger {
    /// Grants nothing from now on.
    pub(super) fn pause(&mut self) -> Reply {
        if !self.paused {
            self.emit(Event::Paused);
        }
        Reply::Done
    }

    /// Grants again, first to waiting requests.
    pub(super) fn go_on(&mut self) -> Reply {
        if self.paused {
            self.emit(Event::Continued);
            self.promote_all();
        }
        Reply::Done
    }

    /// Whether nobody gets a seat now.
    pub(super) fn is_held(&self) -> bool {
        self.paused || self.holds_after_restore()
    }

    /// Whether there may be leases that only their holders know (the hold after a restore).
    pub(super) fn holds_after_restore(&self) -> bool {
        self.hold_until.is_some_and(|until| until > self.now.steady)
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }
}
