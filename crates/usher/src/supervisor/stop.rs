//! The signals that tell `usher up` to stop.

use usher_platform::signals::{Stop, Told};

use crate::failure::Failure;

/// SIGTERM, SIGINT, SIGQUIT, and SIGHUP unless whoever started this process ignores it (nohup).
pub(crate) struct StopSignals(Stop);

impl StopSignals {
    pub(crate) fn take() -> Result<Self, Failure> {
        Stop::take(Told::AlsoByTerminal)
            .map(StopSignals)
            .map_err(|error| Failure::failed(format!("cannot watch signals: {error}")))
    }

    /// A signal came while something else was being done: the next call returns it.
    pub(crate) fn put_back(&mut self) {
        self.0.put_back();
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) {
        self.0.next().await;
    }
}
