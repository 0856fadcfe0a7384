//! What becomes of the connection to the server.

use super::Agent;
use crate::base::clock;

impl Agent {
    /// Why an exchange failed. True: it is another reason than the last one.
    pub(crate) fn is_not_connected(&mut self, why: String) -> bool {
        self.link.failed(why)
    }

    /// An exchange with the server has failed.
    pub(crate) fn server_is_down(&mut self) {
        self.link.is_down();
    }

    /// No server could be asked: whatever answers next may be another one.
    pub(crate) fn server_is_away(&mut self) {
        self.link.is_away();
    }

    /// A server refuses a request, for that reason. True: it is for a field that it does not know,
    /// which it is sent no more for now.
    pub(crate) fn learns_unknown(&mut self, detail: &str) -> bool {
        self.link.unknown.learn(detail, clock::boot_ms())
    }
}
