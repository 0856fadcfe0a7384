//! What the tasks beside the agent may look at of what it holds. They change nothing of it but by the
//! agent, which carries out what follows.

use super::Agent;
use super::here::Here;
use crate::model::link::Link;
use crate::model::notices::Notices;
use crate::model::policy::Rulebook;
use crate::model::waits::Waits;
use crate::store::outbox::Outbox;

impl Agent {
    /// Of which computer it is, and its accounts.
    pub(crate) fn here(&self) -> &Here {
        &self.here
    }

    /// What is on disk.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// What the server wants of programs, and what of it holds here.
    pub(crate) fn rulebook(&self) -> &Rulebook {
        &self.rulebook
    }

    /// The connection to the server.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// What people are to know.
    pub(crate) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Seats that people wait for, or that are kept for their next start.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }
}
