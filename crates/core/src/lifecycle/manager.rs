//! Whom a service tells of its life: the operating system's service manager, whichever it is.

use std::fmt;
use std::time::Duration;

use super::{ServiceState, Status, Work};

/// What a service says of itself, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the machine says.
    pub status: Status,
    /// Why it serves less well than it should, such as a full disk.
    pub trouble: Option<String>,
}

impl Report {
    /// How long the service manager is to be patient from now on: the wait hint and a margin, for
    /// the service itself ends what stands still. None if nothing is waited for.
    pub fn patience(&self) -> Option<Duration> {
        /// Between the service's own deadline and that of its manager.
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
    /// The state has changed, or its work has moved. May take its time: no deadline hangs on it.
    fn told(&self, report: &Report);

    /// Work has gone the whole way through the service: it is alive.
    fn alive(&self);

    /// How often it wants to hear that, if it does.
    fn watchdog(&self) -> Option<Duration> {
        None
    }
}
