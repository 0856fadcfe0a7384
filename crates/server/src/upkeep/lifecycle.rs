//! The service's life in this process: owns the state machine of [`usher_core::lifecycle`],
//! enforces its deadlines, and tells its listeners.
//!
//! Promises: the machine's lock is held for a decision only, never while a disk, a socket or a
//! log is waited for. The keeper, a thread that needs nothing else of the process, ends the
//! process by force when work stands still past its deadline: with [`EXIT_STOP`] if it was
//! stopping, else with [`EXIT_STANDSTILL`]. Another thread tells the service manager and the log;
//! it may hang, and holds up nobody.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use usher_core::lifecycle::{
    Control, Effect, Input, Lifecycle, Limits, Refusal, Report, ServiceManager, ServiceState, Step,
    Work,
};

use crate::base::clock::wall_ms;

/// The exit code of a process that was ended by force because its stop stood still.
pub const EXIT_STOP: u8 = 70;
/// The exit code of a process that was ended by force because a start, a pause or a continuation
/// stood still.
pub const EXIT_STANDSTILL: u8 = 71;
/// How long the end of the process waits until the service manager was told.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Called at each change of state, in order; must not block.
pub(crate) type Listener = Box<dyn Fn(&ServiceNow) + Send>;

/// The current status of the service, with times on the wall clock.
#[derive(Debug, Clone)]
pub(crate) struct ServiceNow {
    /// The status as it was reported.
    pub(crate) report: Report,
    /// Since when it has been in its state; Unix milliseconds, wall clock.
    pub(crate) since_ms: i64,
}

/// The service of this process. Clones share it.
#[derive(Clone)]
pub(crate) struct ServiceLife {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// The start of the state machine's clock, which stands still while the computer sleeps, as
    /// work does.
    began: Instant,
    state: watch::Sender<ServiceState>,
}

struct Inner {
    machine: Lifecycle,
    trouble: Option<String>,
    since_ms: i64,
    /// Counts the reports, and how many of them were delivered.
    news: u64,
    told: u64,
    must_end: bool,
    listener: Listener,
}

impl Inner {
    fn seen(&self) -> ServiceNow {
        ServiceNow {
            report: Report {
                status: self.machine.status(),
                trouble: self.trouble.clone(),
            },
            since_ms: self.since_ms,
        }
    }
}

impl ServiceLife {
    /// Begins to start the service. `listener` is called at each change of state.
    pub(crate) fn begin(
        limits: Limits,
        manager: Option<Arc<dyn ServiceManager>>,
        listener: Listener,
    ) -> std::io::Result<ServiceLife> {
        let life = ServiceLife {
            shared: Arc::new(Shared {
                inner: Mutex::new(Inner {
                    machine: Lifecycle::new(limits, Duration::ZERO),
                    trouble: None,
                    since_ms: wall_ms(),
                    news: 0,
                    told: 0,
                    must_end: false,
                    listener,
                }),
                changed: Condvar::new(),
                began: Instant::now(),
                state: watch::Sender::new(ServiceState::Stopped),
            }),
        };
        life.carry(Input::Start);
        let (keeper, teller) = (life.clone(), life.clone());
        usher_vital::spawn("life-keeper", move || keeper.keep())?;
        usher_vital::spawn("life-teller", move || teller.tell(manager.as_deref()))?;
        Ok(life)
    }

    /// The current status of the service.
    pub(crate) fn seen(&self) -> ServiceNow {
        self.lock().seen()
    }

    /// The current state.
    pub(crate) fn state(&self) -> ServiceState {
        *self.shared.state.borrow()
    }

    /// Waits until the service has to stop.
    pub(crate) async fn stopping(&self) {
        let mut state = self.shared.state.subscribe();
        // The sender lives as long as this does.
        let _ = state.wait_for(|state| is_ending(*state)).await;
    }

    /// Whether the service has to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        is_ending(self.state())
    }

    /// Waits until the state differs from `state`; returns the new one.
    pub(crate) async fn other_than(&self, state: ServiceState) -> ServiceState {
        let mut states = self.shared.state.subscribe();
        match states.wait_for(|now| *now != state).await {
            Ok(now) => *now,
            Err(_) => self.state(),
        }
    }

    /// Accepts or refuses a control; returns also the status after it.
    pub(crate) fn control(&self, control: Control) -> (Result<(), Refusal>, ServiceNow) {
        let mut inner = self.lock();
        let taken = self.apply(&mut inner, Input::Control(control));
        (taken, inner.seen())
    }

    /// The operating system ends the service.
    pub(crate) fn terminate(&self) {
        self.carry(Input::Terminate);
    }

    /// Reports the progress of the work in hand.
    pub(crate) fn moved(&self, step: Step, left: u64) {
        self.carry(Input::Moved(Work::new(step, left)));
    }

    /// Reports that the work in hand is done.
    pub(crate) fn done(&self) {
        self.carry(Input::Done);
    }

    /// Reports that the pause or continuation of that state is done, unless the state has changed
    /// since.
    pub(crate) fn settled(&self, state: ServiceState) {
        let mut inner = self.lock();
        let is_settling = matches!(
            state,
            ServiceState::PausePending | ServiceState::ContinuePending
        );
        if is_settling && inner.machine.state() == state {
            let _ = self.apply(&mut inner, Input::Done);
        }
    }

    /// Reports that the service cannot go on: its runner returns an error, which ends the process.
    pub(crate) fn failed(&self, code: u8) {
        self.carry(Input::Failed(u32::from(code)));
    }

    /// Reports trouble while serving, or that it is over.
    pub(crate) fn trouble(&self, trouble: Option<&str>) {
        let mut inner = self.lock();
        if inner.trouble.as_deref() != trouble {
            inner.trouble = trouble.map(str::to_owned);
            inner.news += 1;
            self.shared.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A decision leaves the machine whole.
        self.shared
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies an input that its state never refuses, and that other states ignore.
    fn carry(&self, input: Input) {
        let _ = self.apply(&mut self.lock(), input);
    }

    fn apply(&self, inner: &mut Inner, input: Input) -> Result<(), Refusal> {
        let before = inner.machine.state();
        let effects = inner.machine.apply(self.shared.began.elapsed(), input)?;
        let state = inner.machine.state();
        if state != before {
            inner.since_ms = wall_ms();
            self.shared.state.send_replace(state);
            (inner.listener)(&inner.seen());
        }
        let fails = matches!(input, Input::Failed(_));
        inner.must_end |= effects.contains(&Effect::EndProcess) && !fails;
        if !effects.is_empty() {
            inner.news += 1;
            self.shared.changed.notify_all();
        }
        Ok(())
    }

    fn wait<'a>(
        &'a self,
        inner: MutexGuard<'a, Inner>,
        at_most: Option<Duration>,
    ) -> MutexGuard<'a, Inner> {
        let changed = &self.shared.changed;
        match at_most {
            None => changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            Some(at_most) => {
                changed
                    .wait_timeout(inner, at_most)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    /// Enforces the deadlines until the service has stopped.
    fn keep(&self) {
        let mut inner = self.lock();
        while inner.machine.state() != ServiceState::Stopped {
            usher_vital::plant::thread();
            if inner.must_end {
                let code = forced_exit(inner.machine.state());
                drop(inner);
                self.wait_until_told();
                usher_vital::log::flush(LAST_WORDS);
                // Neither handlers nor destructors run: they may wait for what stands still.
                signal_hook::low_level::exit(code.into());
            }
            let now = self.shared.began.elapsed();
            inner = match inner.machine.deadline() {
                Some(deadline) if deadline <= now => {
                    let _ = self.apply(&mut inner, Input::Tick);
                    inner
                }
                deadline => self.wait(inner, deadline.map(|deadline| deadline - now)),
            };
        }
    }

    /// Waits, not for long, until all reports were delivered to the service manager.
    pub(crate) fn wait_until_told(&self) {
        let until = Instant::now() + LAST_WORDS;
        let mut inner = self.lock();
        while inner.told < inner.news {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            inner = self.wait(inner, Some(left));
        }
    }

    /// Delivers the reports to the log and the service manager until the service has stopped.
    fn tell(&self, manager: Option<&dyn ServiceManager>) {
        let mut last = ServiceState::Stopped;
        loop {
            let mut inner = self.lock();
            while inner.told == inner.news {
                inner = self.wait(inner, None);
            }
            usher_vital::plant::thread();
            let (news, report) = (inner.news, inner.seen().report);
            drop(inner);
            let state = report.status.state;
            if state != last || report.status.overdue {
                match report.status.overdue {
                    true => tracing::error!(state = state.name(), "the service is {report}"),
                    false => tracing::info!(state = state.name(), "the service is {report}"),
                }
            }
            last = state;
            if let Some(manager) = manager {
                manager.told(&report);
            }
            self.lock().told = news;
            self.shared.changed.notify_all();
            if state == ServiceState::Stopped {
                return;
            }
        }
    }
}

fn is_ending(state: ServiceState) -> bool {
    matches!(state, ServiceState::StopPending | ServiceState::Stopped)
}

fn forced_exit(state: ServiceState) -> u8 {
    match state {
        ServiceState::StopPending => EXIT_STOP,
        _ => EXIT_STANDSTILL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn life(listener: Listener) -> ServiceLife {
        ServiceLife::begin(Limits::default(), None, listener).unwrap()
    }

    #[test]
    fn listeners_hear_of_each_state_in_its_order() {
        let (tell, told) = mpsc::channel();
        let life = life(Box::new(move |seen| {
            tell.send(seen.report.status.state).unwrap();
        }));
        life.moved(Step::Recover, 3);
        life.done();
        assert!(life.control(Control::Pause).0.is_ok());
        life.done();
        life.terminate();
        life.done();
        let heard: Vec<_> = told.try_iter().collect();
        use ServiceState::*;
        assert_eq!(
            heard,
            [
                StartPending,
                Running,
                PausePending,
                Paused,
                StopPending,
                Stopped
            ]
        );
    }

    #[test]
    fn a_refused_control_shows_the_service_as_it_is_and_changes_nothing() {
        let life = life(Box::new(|_| ()));
        let (taken, seen) = life.control(Control::Stop);
        assert_eq!(taken.unwrap_err().number(), 1061);
        assert_eq!(seen.report.status.state, ServiceState::StartPending);
        life.failed(1);
        assert_eq!(life.state(), ServiceState::Stopped);
    }

    /// Hangs when it is told something.
    struct Hanging(Mutex<mpsc::Receiver<()>>);

    impl ServiceManager for Hanging {
        fn told(&self, _: &Report) {
            // It ends when the test does.
            let _ = self.0.lock().unwrap().recv();
        }

        fn alive(&self) {}
    }

    #[test]
    fn a_service_manager_that_hangs_holds_up_nobody() {
        let (release, hold) = mpsc::channel::<()>();
        let manager = Arc::new(Hanging(Mutex::new(hold)));
        let life = ServiceLife::begin(Limits::default(), Some(manager), Box::new(|_| ())).unwrap();
        life.done();
        assert!(life.control(Control::Pause).0.is_ok());
        assert_eq!(life.state(), ServiceState::PausePending);
        let began = Instant::now();
        life.wait_until_told();
        // The manager hangs until this test lets it go.
        assert!(began.elapsed() < LAST_WORDS * 40);
        life.terminate();
        life.done();
        drop(release);
    }
}
