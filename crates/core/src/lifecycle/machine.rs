//! The state machine of a service.

use std::time::Duration;

use super::state::{Control, Refusal, ServiceState, Step, Work};

/// How long a pending state may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// How long work may stand still: the wait hint that the service reports.
    pub standstill: Duration,
    /// How long it may take in all, even if it progresses.
    pub whole: Duration,
}

/// The limits of all pending states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The limits for starting. Recovery of a large store progresses steadily, so the whole may
    /// take long.
    pub start: Limit,
    /// The limits for stopping.
    pub stop: Limit,
    /// The limits for pausing and for continuing.
    pub pause: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        let limit = |standstill, whole| Limit {
            standstill: Duration::from_secs(standstill),
            whole: Duration::from_secs(whole),
        };
        Limits {
            start: limit(60, 1_800),
            stop: limit(10, 60),
            pause: limit(10, 30),
        }
    }
}

/// What happens to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The service manager starts it.
    Start,
    /// Somebody sends it a control.
    Control(Control),
    /// The operating system ends it: SIGTERM, a shutdown, the end of its supervisor. Unlike a
    /// control, this also works while it starts.
    Terminate,
    /// The work in hand has progressed to this point.
    Moved(Work),
    /// The work in hand is done.
    Done,
    /// The work in hand has failed, or a running service cannot go on; with the exit code.
    Failed(u32),
    /// The process has ended.
    Ended,
    /// Time has passed.
    Tick,
}

/// What the shell has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Report the status to the service manager.
    Report,
    /// Begin this work, and report its progress.
    Begin(Work),
    /// End the process now: its work has stood still past its deadline, or has failed.
    EndProcess,
}

/// The state machine of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    limits: Limits,
    phase: Phase,
    since: Duration,
    exit_code: u32,
}

/// A pending phase has its work: there is no other way to write one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Stopped,
    Running,
    Paused,
    Pending(Pending),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pending {
    state: ServiceState,
    work: Work,
    checkpoint: u32,
    moved_at: Duration,
    /// Whether its work stands still and the end of its process was requested.
    overdue: bool,
}

/// The status that a service reports, derived from its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: ServiceState,
    /// Since when it has been in that state, on the caller's clock.
    pub since: Duration,
    /// Grows each time that the work in hand progresses; 0 outside pending states.
    pub checkpoint: u32,
    /// How long the work may stand still from its last move; zero outside pending states.
    pub wait_hint: Duration,
    /// The controls that it accepts now.
    pub accepts: &'static [Control],
    /// The exit code: 0, a Win32 error number, or one of the service's own.
    pub exit_code: u32,
    /// The work that a pending state waits for.
    pub work: Option<Work>,
    /// Whether the work has stood still past its deadline, so that the process is being ended by
    /// force.
    pub overdue: bool,
}

impl Lifecycle {
    /// A service that does not run. All times are of one clock that nobody can set.
    pub fn new(limits: Limits, now: Duration) -> Self {
        Lifecycle {
            limits,
            phase: Phase::Stopped,
            since: now,
            exit_code: 0,
        }
    }

    /// The current state.
    pub fn state(&self) -> ServiceState {
        match &self.phase {
            Phase::Stopped => ServiceState::Stopped,
            Phase::Running => ServiceState::Running,
            Phase::Paused => ServiceState::Paused,
            Phase::Pending(pending) => pending.state,
        }
    }

    /// The status that the service reports.
    pub fn status(&self) -> Status {
        let state = self.state();
        let pending = match &self.phase {
            Phase::Pending(pending) => Some(pending),
            _ => None,
        };
        Status {
            state,
            since: self.since,
            checkpoint: pending.map_or(0, |pending| pending.checkpoint),
            wait_hint: pending.map_or(Duration::ZERO, |_| self.limit(state).standstill),
            accepts: state.accepts(),
            exit_code: self.exit_code,
            work: pending.map(|pending| pending.work),
            overdue: pending.is_some_and(|pending| pending.overdue),
        }
    }

    /// When the next deadline is: send [`Input::Tick`] then. None: time alone changes nothing.
    pub fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Pending(pending) if !pending.overdue => {
                let limit = self.limit(pending.state);
                Some((pending.moved_at + limit.standstill).min(self.since + limit.whole))
            }
            _ => None,
        }
    }

    /// Takes an input at the time `now`; answers what is to be done.
    ///
    /// # Errors
    /// [`Refusal`] for a control that the state does not take, and for a start of what runs.
    pub fn apply(&mut self, now: Duration, input: Input) -> Result<Vec<Effect>, Refusal> {
        match input {
            Input::Start => self.start(now),
            Input::Control(control) => self.control(now, control),
            Input::Terminate => Ok(self.terminate(now)),
            Input::Moved(work) => Ok(self.moved(now, work)),
            Input::Done => Ok(self.done(now)),
            Input::Failed(code) => Ok(self.failed(now, code)),
            Input::Ended => Ok(self.ended(now)),
            Input::Tick => Ok(self.tick(now)),
        }
    }

    fn start(&mut self, now: Duration) -> Result<Vec<Effect>, Refusal> {
        match self.state() {
            ServiceState::Stopped => {
                self.exit_code = 0;
                Ok(self.begin(
                    now,
                    ServiceState::StartPending,
                    Work::new(Step::Open, Work::UNCOUNTED),
                ))
            }
            ServiceState::StopPending => Err(Refusal::CannotAcceptControl),
            _ => Err(Refusal::AlreadyRunning),
        }
    }

    fn control(&mut self, now: Duration, control: Control) -> Result<Vec<Effect>, Refusal> {
        self.state().take(control)?;
        Ok(match control {
            Control::Stop => self.stop(now),
            Control::Pause => self.begin(now, ServiceState::PausePending, settle()),
            Control::Continue => self.begin(now, ServiceState::ContinuePending, settle()),
            Control::Interrogate => vec![Effect::Report],
        })
    }

    fn terminate(&mut self, now: Duration) -> Vec<Effect> {
        match self.state() {
            ServiceState::Stopped | ServiceState::StopPending => Vec::new(),
            _ => self.stop(now),
        }
    }

    fn stop(&mut self, now: Duration) -> Vec<Effect> {
        let drain = Work::new(Step::Drain, Work::UNCOUNTED);
        self.begin(now, ServiceState::StopPending, drain)
    }

    fn moved(&mut self, now: Duration, work: Work) -> Vec<Effect> {
        match &mut self.phase {
            // It tells more of the same work: nothing has moved.
            Phase::Pending(pending) if work.counts(pending.work) => {
                pending.work = work;
                vec![Effect::Report]
            }
            Phase::Pending(pending) if work.is_beyond(pending.work) && !pending.overdue => {
                pending.work = work;
                pending.checkpoint = pending.checkpoint.saturating_add(1);
                pending.moved_at = now;
                let mut effects = vec![Effect::Report];
                effects.extend(self.tick(now));
                effects
            }
            _ => Vec::new(),
        }
    }

    fn done(&mut self, now: Duration) -> Vec<Effect> {
        match self.state() {
            // What is being ended by force does not come back.
            _ if self.status().overdue => Vec::new(),
            ServiceState::StartPending | ServiceState::ContinuePending => {
                self.enter(now, Phase::Running)
            }
            ServiceState::PausePending => self.enter(now, Phase::Paused),
            ServiceState::StopPending => self.enter(now, Phase::Stopped),
            ServiceState::Stopped | ServiceState::Running | ServiceState::Paused => Vec::new(),
        }
    }

    fn failed(&mut self, now: Duration, code: u32) -> Vec<Effect> {
        if self.state() == ServiceState::Stopped {
            return Vec::new();
        }
        self.exit_code = code;
        let mut effects = self.enter(now, Phase::Stopped);
        effects.push(Effect::EndProcess);
        effects
    }

    fn ended(&mut self, now: Duration) -> Vec<Effect> {
        if self.state() == ServiceState::Stopped {
            return Vec::new();
        }
        let overdue = self.status().overdue;
        self.exit_code = if overdue {
            Refusal::Timeout.number()
        } else {
            Refusal::ProcessAborted.number()
        };
        self.enter(now, Phase::Stopped)
    }

    fn tick(&mut self, now: Duration) -> Vec<Effect> {
        match self.deadline() {
            Some(deadline) if now >= deadline => {
                if let Phase::Pending(pending) = &mut self.phase {
                    pending.overdue = true;
                }
                vec![Effect::Report, Effect::EndProcess]
            }
            _ => Vec::new(),
        }
    }

    fn begin(&mut self, now: Duration, state: ServiceState, work: Work) -> Vec<Effect> {
        let mut effects = self.enter(
            now,
            Phase::Pending(Pending {
                state,
                work,
                checkpoint: 1,
                moved_at: now,
                overdue: false,
            }),
        );
        effects.push(Effect::Begin(work));
        effects
    }

    fn enter(&mut self, now: Duration, phase: Phase) -> Vec<Effect> {
        self.phase = phase;
        self.since = now;
        vec![Effect::Report]
    }

    fn limit(&self, state: ServiceState) -> Limit {
        match state {
            ServiceState::StartPending => self.limits.start,
            ServiceState::PausePending | ServiceState::ContinuePending => self.limits.pause,
            _ => self.limits.stop,
        }
    }
}

fn settle() -> Work {
    Work::new(Step::Settle, Work::UNCOUNTED)
}
