//! What keeps a ledger over the ends of its process.

use std::fmt;

use usher_core::ledger::{Command, EventNumber, Reply};

use crate::clock::Moment;

/// Keeps a ledger, in memory or in the store.
pub(super) trait KeptLedger: fmt::Debug {
    /// The process begins.
    fn open(&mut self, now: Moment);
    /// Applies a command and makes it durable; none: it cannot be carried out.
    fn commit(&mut self, now: Moment, command: Command) -> Option<Reply>;
    /// The process ends in the middle of a command, after it was made durable or before.
    fn cut_off(&mut self, now: Moment, command: Command, committed: bool);
    /// The process ends after all was written.
    fn close(&mut self, now: Moment);
    /// The process is gone.
    fn kill(&mut self, now: Moment);
    /// Whether the lease has ended, as the server's table of decisions tells.
    fn has_ended(&self, lease: EventNumber) -> bool;
    /// How often a process found something else than what the one before had answered, or nothing.
    fn wrong_recoveries(&self) -> u64;
}
