//! The agent's connection to its server: successes, failures, refusals.

use super::Agent;
use crate::base::clock;

impl Agent {
    /// Notes why an exchange failed. True: the reason differs from the last one.
    pub(crate) fn is_not_connected(&mut self, why: String) -> bool {
        self.link.failed(why)
    }

    /// Notes that an exchange with the server has failed.
    pub(crate) fn server_is_down(&mut self) {
        self.link.is_down();
    }

    /// Notes that no server could be asked: the next one to answer may be another one.
    pub(crate) fn server_is_away(&mut self) {
        self.link.is_away();
    }

    /// Notes why a server refuses a request. True: it does not know a field, which is left out from
    /// now on.
    pub(crate) fn learns_unknown(&mut self, detail: &str) -> bool {
        self.link.unknown.learn(detail, clock::boot_ms())
    }
}
