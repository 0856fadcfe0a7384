//! What a service reports to the operating system's service manager, whichever that is.

use std::fmt;
use std::time::Duration;

use super::{ServiceState, Status, Work};

/// A complete report of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The status of the state machine.
    pub status: Status,
    /// Why it serves less well than it should, such as a full disk.
    pub trouble: Option<String>,
}

impl Report {
    /// How long the service manager should wait from now on: the wait hint and a margin, because
    /// the service itself ends work that stands still. None outside pending states.
    pub fn patience(&self) -> Option<Duration> {
        /// The margin between the service's own deadline and that of its service manager.
        const MARGIN: Duration = Duration::from_secs(5);
        let pending = self.status.state.is_pending();
        pending.then(|| self.status.wait_hint + MARGIN)
    }
}

/// One line for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.status.state {
            ServiceState::Stopped => "stopped",
            ServiceState::StartPending => "starting",
            ServiceState::StopPending => "stopping",
            ServiceState::Running => "running",
            ServiceState::ContinuePending => "going on",
            ServiceState::PausePending => "pausing",
            ServiceState::Paused => "paused: nothing is granted, leases are kept",
        })?;
        if let Some(work) = self.status.work {
            write!(f, ": {work}")?;
        }
        if self.status.overdue {
            f.write_str(", which stands still: the process is ended by force")?;
        }
        match &self.trouble {
            Some(trouble) => write!(f, "; {trouble}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.step.name())?;
        match self.left {
            Work::UNCOUNTED => Ok(()),
            left => write!(f, ", {left} left"),
        }
    }
}

/// A service manager as a service speaks to it. Each operating system has its own; a service that
/// nobody manages has none.
pub trait ServiceManager: Send + Sync {
    /// Reports that the state has changed or its work has progressed. It may block; no deadline
    /// depends on it.
    fn told(&self, report: &Report);

    /// Reports that the service is alive: work has passed through all of it.
    fn alive(&self);

    /// How often the service manager wants to hear that; none: it does not.
    fn watchdog(&self) -> Option<Duration> {
        None
    }
}
