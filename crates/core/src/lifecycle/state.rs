//! States, the edges between them, controls, and why a control is refused.

use std::fmt;

/// The states of a service; the numbers are those of `SERVICE_STATUS.dwCurrentState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ServiceState {
    /// No process serves.
    Stopped = 1,
    /// Files are opened, the ledger is rebuilt, addresses are taken.
    StartPending = 2,
    /// Requests in flight are answered, the rest is written, files are closed.
    StopPending = 3,
    /// It serves: seats are granted.
    Running = 4,
    /// A pause ends; grants begin again.
    ContinuePending = 5,
    /// The ledger writes the pause to disk; nothing that is asked for later is granted.
    PausePending = 6,
    /// Leases are renewed and given back; nothing is granted.
    Paused = 7,
}

impl ServiceState {
    /// All states, by their Win32 numbers.
    pub const ALL: [ServiceState; 7] = [
        ServiceState::Stopped,
        ServiceState::StartPending,
        ServiceState::StopPending,
        ServiceState::Running,
        ServiceState::ContinuePending,
        ServiceState::PausePending,
        ServiceState::Paused,
    ];

    /// Whether it is a pending state, which waits for work.
    pub fn is_pending(self) -> bool {
        use ServiceState::*;
        matches!(
            self,
            StartPending | StopPending | ContinuePending | PausePending
        )
    }

    /// Whether a service may go from this state to `next` (Service State Transitions). A pending
    /// state may report itself again; from `StopPending` there is no way but to `Stopped`.
    pub fn may_become(self, next: ServiceState) -> bool {
        use ServiceState::*;
        match self {
            Stopped => next == StartPending,
            StartPending => matches!(next, StartPending | Running | StopPending | Stopped),
            StopPending => matches!(next, StopPending | Stopped),
            Running => matches!(next, PausePending | Paused | StopPending | Stopped),
            PausePending => matches!(next, PausePending | Paused | StopPending | Stopped),
            Paused => matches!(next, ContinuePending | Running | StopPending | Stopped),
            ContinuePending => matches!(next, ContinuePending | Running | StopPending | Stopped),
        }
    }

    /// The controls that it accepts besides [`Control::Interrogate`].
    pub fn accepts(self) -> &'static [Control] {
        use ServiceState::*;
        match self {
            Running => &[Control::Stop, Control::Pause],
            Paused => &[Control::Stop, Control::Continue],
            // Only a state without a way out may refuse to stop.
            PausePending | ContinuePending => &[Control::Stop],
            Stopped | StartPending | StopPending => &[],
        }
    }

    /// Whether a control is taken, or why not.
    ///
    /// # Errors
    /// [`Refusal`], with the number that `ControlService` gives for it.
    pub fn take(self, control: Control) -> Result<(), Refusal> {
        use ServiceState::*;
        match self {
            Stopped => Err(Refusal::NotActive),
            StartPending | StopPending => Err(Refusal::CannotAcceptControl),
            _ if control == Control::Interrogate => Ok(()),
            _ if self.accepts().contains(&control) => Ok(()),
            _ => Err(Refusal::InvalidControl),
        }
    }

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            ServiceState::Stopped => "stopped",
            ServiceState::StartPending => "start_pending",
            ServiceState::StopPending => "stop_pending",
            ServiceState::Running => "running",
            ServiceState::ContinuePending => "continue_pending",
            ServiceState::PausePending => "pause_pending",
            ServiceState::Paused => "paused",
        }
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The controls of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Control {
    /// Stop the service.
    Stop,
    /// Grant nothing more until [`Control::Continue`].
    Pause,
    /// Grant again.
    Continue,
    /// Report the status.
    Interrogate,
}

impl Control {
    /// All controls.
    pub const ALL: [Control; 4] = [
        Control::Stop,
        Control::Pause,
        Control::Continue,
        Control::Interrogate,
    ];

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Control::Stop => "stop",
            Control::Pause => "pause",
            Control::Continue => "continue",
            Control::Interrogate => "interrogate",
        }
    }
}

/// Why a service or its manager refuses, by the Win32 error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Refusal {
    /// Services that depend on it still run.
    DependentsRunning = 1051,
    /// The service does not accept this control in its state.
    InvalidControl = 1052,
    /// The service did not answer in time.
    Timeout = 1053,
    /// The service runs already.
    AlreadyRunning = 1056,
    /// The service is starting or stopping.
    CannotAcceptControl = 1061,
    /// The service does not run.
    NotActive = 1062,
    /// The process of the service ended by itself.
    ProcessAborted = 1067,
}

impl Refusal {
    /// All refusals, by their Win32 numbers.
    pub const ALL: [Refusal; 7] = [
        Refusal::DependentsRunning,
        Refusal::InvalidControl,
        Refusal::Timeout,
        Refusal::AlreadyRunning,
        Refusal::CannotAcceptControl,
        Refusal::NotActive,
        Refusal::ProcessAborted,
    ];

    /// The Win32 error number.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// The refusal with that Win32 error number; none: it is no refusal.
    pub fn of_number(number: u32) -> Option<Refusal> {
        Refusal::ALL
            .into_iter()
            .find(|refusal| refusal.number() == number)
    }

    /// What it means, as a clause without a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Refusal::DependentsRunning => "services that depend on it still run",
            Refusal::InvalidControl => "the service does not accept this control in its state",
            Refusal::Timeout => "the service did not answer in time",
            Refusal::AlreadyRunning => "the service runs already",
            Refusal::CannotAcceptControl => {
                "the service cannot accept controls while it starts or stops"
            }
            Refusal::NotActive => "the service does not run",
            Refusal::ProcessAborted => "the service's process ended unexpectedly",
        }
    }
}

/// A step of the work that a pending state waits for. Ordered as the steps are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Tries a new version on a copy of the data; counted in checks.
    Rehearse,
    /// Opens the files and takes the lock.
    Open,
    /// Rebuilds the ledger; counted in rows.
    Recover,
    /// Binds the addresses to listen on.
    Listen,
    /// Commits a pause, or the end of one.
    Settle,
    /// Answers the requests in flight; counted in requests.
    Drain,
    /// Fills the tables with what is only in the journal; counted in batches.
    Flush,
    /// Closes the files.
    Close,
}

impl Step {
    /// The step in words.
    pub fn name(self) -> &'static str {
        match self {
            Step::Rehearse => "rehearsing a new version",
            Step::Open => "opening files",
            Step::Recover => "rebuilding the ledger",
            Step::Listen => "taking addresses",
            Step::Settle => "waiting for the ledger to write it to disk",
            Step::Drain => "answering requests in flight",
            Step::Flush => "writing what is left",
            Step::Close => "closing files",
        }
    }
}

/// Work in hand: a step, and how much of it is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Work {
    /// The step.
    pub step: Step,
    /// How much of it is left, in the step's own unit; [`Work::UNCOUNTED`] before it is counted.
    pub left: u64,
}

impl Work {
    /// How much is left is not counted yet.
    pub const UNCOUNTED: u64 = u64::MAX;

    /// The work at the beginning of a step.
    pub fn new(step: Step, left: u64) -> Self {
        Work { step, left }
    }

    /// Whether `self` is progress over `before`: a later step, or less left of the same step. The
    /// first count of a step is no progress.
    pub fn is_beyond(self, before: Work) -> bool {
        let counted = before.left != Work::UNCOUNTED;
        self.step > before.step || (self.step == before.step && counted && self.left < before.left)
    }

    /// Whether `self` is the first count of the step that `before` is.
    pub fn counts(self, before: Work) -> bool {
        self.step == before.step && before.left == Work::UNCOUNTED && self.left != before.left
    }
}
