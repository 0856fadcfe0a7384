//! The true state, and whether a statement about it is true: every message, state and refusal is
//! compared with it.

use usher_core::health::Verdict;
use usher_core::lifecycle::{Control, ServiceState};

/// What a server's process does, whatever anybody says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// There is none.
    Nothing,
    Opening,
    Serving,
    Pausing,
    Paused,
    Continuing,
    Draining,
}

impl Doing {
    /// The state that it is in, whatever it reports.
    pub(crate) fn state(self) -> ServiceState {
        match self {
            Doing::Nothing => ServiceState::Stopped,
            Doing::Opening => ServiceState::StartPending,
            Doing::Serving => ServiceState::Running,
            Doing::Pausing => ServiceState::PausePending,
            Doing::Paused => ServiceState::Paused,
            Doing::Continuing => ServiceState::ContinuePending,
            Doing::Draining => ServiceState::StopPending,
        }
    }

    /// Whether it is on its way to another state.
    pub(crate) fn is_pending(self) -> bool {
        !matches!(self, Doing::Nothing | Doing::Serving | Doing::Paused)
    }

    /// Whether a control has to be taken (Win32, `ControlService`). Written out here once more, so
    /// that the shipped table is not judged by itself.
    pub(crate) fn must_take(self, control: Control) -> bool {
        match self {
            Doing::Nothing | Doing::Opening | Doing::Draining => false,
            Doing::Serving => control != Control::Continue,
            Doing::Paused => control != Control::Pause,
            Doing::Pausing | Doing::Continuing => {
                matches!(control, Control::Stop | Control::Interrogate)
            }
        }
    }
}

/// The state of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    Well,
    Packing,
    Paused,
    /// Pausing or going on: it serves as far as that goes.
    Turning,
    Starting,
    Stopping,
    Down,
    /// Its process is there and nothing moves.
    Hangs {
        /// It was starting or stopping: a manager may wait for its deadline.
        pending: bool,
    },
    /// Nobody can reach its computer.
    Cut,
}

impl Truth {
    /// Whether a verdict is so.
    pub(crate) fn bears(self, verdict: Verdict) -> bool {
        match self {
            Truth::Well => verdict == Verdict::Running,
            Truth::Packing | Truth::Paused => verdict == Verdict::Maintenance,
            Truth::Turning => matches!(verdict, Verdict::Running | Verdict::Maintenance),
            Truth::Starting | Truth::Stopping => verdict == Verdict::Degraded,
            Truth::Down => verdict == Verdict::Stopped,
            Truth::Hangs { pending } => {
                verdict == Verdict::Stuck || (pending && verdict == Verdict::Degraded)
            }
            Truth::Cut => verdict == Verdict::Unreachable,
        }
    }

    /// Whether a server that is so needs no help.
    pub(crate) fn is_good(self) -> bool {
        matches!(
            self,
            Truth::Well | Truth::Packing | Truth::Paused | Truth::Turning
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulators_table_of_controls_says_what_the_shipped_one_says() {
        for doing in [
            Doing::Nothing,
            Doing::Opening,
            Doing::Serving,
            Doing::Pausing,
            Doing::Paused,
            Doing::Continuing,
            Doing::Draining,
        ] {
            for control in Control::ALL {
                let shipped = doing.state().take(control).is_ok();
                assert_eq!(doing.must_take(control), shipped, "{doing:?} {control:?}");
            }
        }
    }
}
