//! Leases and tickets of commands, as they are written down: who was given which, and which go back.

use usher_core::sessions::AccountKey;

use super::Agent;
use crate::store::outbox::OutboxError;

impl Agent {
    /// An account was given a lease or ticket; `one_use_of`: whom it is counted for, if all that
    /// they start of the product may run on it.
    pub(crate) fn save_grant(
        &mut self,
        id: &str,
        account: AccountKey,
        product: &str,
        one_use_of: Option<AccountKey>,
    ) -> Result<(), OutboxError> {
        self.outbox
            .change(|change| change.save_grant(id, account, product, one_use_of))
    }

    /// Nobody runs on a lease any more: it is given back as soon as the server can be asked.
    pub(crate) fn leave_behind(&mut self, lease: &str) -> Result<(), OutboxError> {
        self.outbox.change(|change| change.leave_behind(lease))
    }

    /// Somebody runs on a lease that was left behind.
    pub(crate) fn is_taken_up(&mut self, lease: &str) -> Result<(), OutboxError> {
        self.outbox.change(|change| change.is_taken_up(lease))
    }

    /// A lease was given back at the server.
    pub(crate) fn given_back(&mut self, lease: &str) -> Result<(), OutboxError> {
        self.outbox.change(|change| change.given_back(lease))
    }

    /// A place in the queue is to be left once the server answers.
    pub(crate) fn leave_ticket(&mut self, ticket: &str) -> Result<(), OutboxError> {
        self.outbox.change(|change| change.leave_ticket(ticket))
    }

    /// A place was left, or is not to be left any more.
    pub(crate) fn ticket_is_left(&mut self, ticket: &str) -> Result<(), OutboxError> {
        self.outbox.change(|change| change.ticket_is_left(ticket))
    }

    /// A process that is covered by a lease does not keep it.
    pub(crate) fn keeps_no_more(&mut self, pid: u32, lease: &str) -> Result<(), OutboxError> {
        self.outbox
            .change(|change| change.keeps_no_more(pid, lease))
    }
}
