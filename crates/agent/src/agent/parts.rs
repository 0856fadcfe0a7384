//! The parts of the agent that other tasks may read. They change them only through the agent, which
//! carries out the effects.

use super::Agent;
use super::here::Here;
use crate::model::link::Link;
use crate::model::notices::Notices;
use crate::model::policy::Rulebook;
use crate::model::waits::Waits;
use crate::store::outbox::Outbox;

impl Agent {
    /// The computer and its accounts.
    pub(crate) fn here(&self) -> &Here {
        &self.here
    }

    /// The state on disk.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The policy, and what of it applies here.
    pub(crate) fn rulebook(&self) -> &Rulebook {
        &self.rulebook
    }

    /// The connection to the server.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// The notices to people.
    pub(crate) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Seats that people wait for, and seats that are kept for their next start.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }
}
