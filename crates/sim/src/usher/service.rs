//! The process of a metering server under its service manager: what the shipped lifecycle decides,
//! and the made-up process that does the work.

use std::collections::VecDeque;
use std::time::Duration;

use usher_core::health::ServiceWord;
use usher_core::lifecycle::{
    Control, Effect, Input, Lifecycle, Limits, Refusal, ServiceState, Status, Step, Work,
};

use crate::clock::{Moment, SECOND};
use crate::rng::Rng;
use crate::truth::Doing;

/// A process that says nothing for so long is ended (systemd: WatchdogSec).
const WATCHDOG_MS: u64 = 30 * SECOND;
/// How long the service manager waits before it starts a process again (systemd: RestartSec).
const RESTART_MS: u64 = SECOND;

#[derive(Debug)]
pub(super) struct Service {
    lifecycle: Lifecycle,
    doing: Doing,
    /// The work in hand: when each step of it is done.
    steps: VecDeque<(u64, Input)>,
    word: Status,
    word_at: u64,
    /// The service manager starts a failed process again, and has a watchdog.
    restarts_itself: bool,
    restart_at: Option<u64>,
    frozen: Option<(u64, u64)>,
    disk_hangs_until: u64,
    /// Killed while it waits for a disk: it ends when the disk is back.
    dying: bool,
    pub(super) on_purpose: bool,
    wants_start: bool,
    wants_continue: bool,
    rng: Rng,
    /// What became of it since it was last asked, for who counts and tells.
    pub(super) news: Vec<News>,
}

/// Something worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// The process is gone: what was not durable is lost.
    Ended { asked: bool },
    /// It serves.
    Serves,
    /// It reported a state that it is not in.
    FalseState(ServiceState),
}

impl Service {
    /// A service that was not started.
    pub(super) fn new(now: Moment, restarts_itself: bool, rng: Rng) -> Service {
        let lifecycle = Lifecycle::new(Limits::default(), now.span());
        Service {
            word: lifecycle.status(),
            lifecycle,
            doing: Doing::Nothing,
            steps: VecDeque::new(),
            word_at: now.steady,
            restarts_itself,
            restart_at: None,
            frozen: None,
            disk_hangs_until: 0,
            dying: false,
            on_purpose: false,
            wants_start: true,
            wants_continue: false,
            rng,
            news: Vec::new(),
        }
    }

    pub(super) fn doing(&self) -> Doing {
        self.doing
    }

    /// Its process is there and does nothing.
    pub(super) fn is_still(&self, now: Moment) -> bool {
        self.doing != Doing::Nothing
            && (self.dying || self.frozen.is_some_and(|(_, until)| until > now.steady))
    }

    /// Whether something holds it up, as far as it has been woken.
    pub(super) fn is_held(&self) -> bool {
        self.dying || self.frozen.is_some() || self.disk_hangs_until > 0
    }

    pub(super) fn disk_hangs(&self, now: Moment) -> bool {
        self.disk_hangs_until > now.steady
    }

    /// Sends a control.
    pub(super) fn control(&mut self, now: Moment, control: Control) -> Result<(), Refusal> {
        self.take(now, Input::Control(control))
    }

    /// Says to the machine that it is to stop, while no work for that is begun: the lie of KB
    /// Q299261, for a planted fault.
    pub(super) fn lie_stopping(&mut self, now: Moment) {
        let effects = self.lifecycle.apply(now.span(), Input::Terminate);
        drop(effects);
        self.report(now);
        self.check();
    }

    /// Its process is killed; whether there was one.
    pub(super) fn kill(&mut self, now: Moment) -> bool {
        if self.doing == Doing::Nothing {
            return false;
        }
        self.dying = true;
        if !self.disk_hangs(now) {
            self.end(now);
        }
        true
    }

    pub(super) fn freeze(&mut self, now: Moment, ms: u64) -> bool {
        if self.doing == Doing::Nothing || self.frozen.is_some() {
            return false;
        }
        self.frozen = Some((now.steady, now.steady + ms));
        true
    }

    pub(super) fn hang_disk(&mut self, now: Moment, ms: u64) -> bool {
        self.disk_hangs_until = self.disk_hangs_until.max(now.steady + ms);
        self.doing != Doing::Nothing
    }

    pub(super) fn start(&mut self, now: Moment) -> Result<(), Refusal> {
        self.take(now, Input::Start)?;
        self.on_purpose = false;
        self.restart_at = None;
        Ok(())
    }

    /// Is to be started as soon as it is stopped.
    pub(super) fn want_start(&mut self) {
        self.wants_start = matches!(
            self.lifecycle.state(),
            ServiceState::Stopped | ServiceState::StopPending
        );
    }

    /// Is to go on as soon as it is paused.
    pub(super) fn want_continue(&mut self) {
        self.wants_continue = matches!(
            self.lifecycle.state(),
            ServiceState::Paused | ServiceState::PausePending
        );
    }

    /// What the service manager says of it.
    pub(super) fn word(&self, now: Moment) -> ServiceWord {
        ServiceWord {
            state: self.word.state,
            age: Duration::from_millis(now.steady - self.word_at),
            checkpoint: self.word.checkpoint,
            wait_hint: self.word.wait_hint,
            error: (self.word.exit_code != 0).then_some(self.word.exit_code),
            on_purpose: self.on_purpose,
            has_process: self.doing != Doing::Nothing,
            restarts_itself: self.restarts_itself,
            text: String::new(),
        }
    }

    pub(super) fn next_wake(&self) -> Option<u64> {
        let still_until = match self.frozen {
            Some((_, until)) => until.max(self.disk_hangs_until),
            None => self.disk_hangs_until,
        };
        let step = self.steps.front().map(|(at, _)| (*at).max(still_until));
        let deadline = self
            .lifecycle
            .deadline()
            .and_then(|at| u64::try_from(at.as_millis()).ok());
        let thaw = self.frozen.map(|(_, until)| until);
        let watchdog = self.watchdog_at();
        let disk = (self.disk_hangs_until > 0).then_some(self.disk_hangs_until);
        let stopped = self.lifecycle.state() == ServiceState::Stopped;
        let start = (self.wants_start && stopped).then_some(0);
        let paused = self.lifecycle.state() == ServiceState::Paused;
        let go_on = (self.wants_continue && paused).then_some(0);
        [
            step,
            deadline,
            thaw,
            watchdog,
            disk,
            self.restart_at,
            start,
            go_on,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due at the instant `now`.
    pub(super) fn wake(&mut self, now: Moment) {
        if self.disk_hangs_until <= now.steady {
            self.disk_hangs_until = 0;
        }
        if self.dying && !self.disk_hangs(now) {
            self.end(now);
        }
        if self.watchdog_at().is_some_and(|at| at <= now.steady) {
            self.kill(now);
        }
        if self.frozen.is_some_and(|(_, until)| until <= now.steady) {
            self.frozen = None;
        }
        while !self.is_still(now)
            && !self.disk_hangs(now)
            && let Some((at, input)) = self.steps.front().copied()
            && at <= now.steady
        {
            self.steps.pop_front();
            self.work(now, input);
        }
        let _ = self.take(now, Input::Tick);
        if self.restart_at.is_some_and(|at| at <= now.steady) {
            self.restart_at = None;
            self.want_start();
        }
        if self.wants_start && self.start(now).is_ok() {
            self.wants_start = false;
        }
        if self.wants_continue && self.control(now, Control::Continue).is_ok() {
            self.wants_continue = false;
        }
    }

    fn watchdog_at(&self) -> Option<u64> {
        let (since, _) = self.frozen.filter(|_| self.restarts_itself)?;
        (!self.dying).then_some(since + WATCHDOG_MS)
    }

    /// A step of work is done by the process; the machine hears of it afterwards.
    fn work(&mut self, now: Moment, input: Input) {
        if input == Input::Done {
            self.doing = match self.doing {
                Doing::Opening | Doing::Continuing => Doing::Serving,
                Doing::Pausing => Doing::Paused,
                Doing::Draining => Doing::Nothing,
                other => other,
            };
            match self.doing {
                Doing::Serving => self.news.push(News::Serves),
                Doing::Nothing => {
                    self.news.push(News::Ended { asked: true });
                    self.frozen = None;
                    self.wants_continue = false;
                }
                _ => {}
            }
        }
        let _ = self.take(now, input);
    }

    fn take(&mut self, now: Moment, input: Input) -> Result<(), Refusal> {
        let effects = self.lifecycle.apply(now.span(), input)?;
        let (mut reports, mut ends) = (false, false);
        for effect in effects {
            match effect {
                Effect::Report => {
                    self.report(now);
                    reports = true;
                }
                Effect::Begin(work) => self.begin(now, work),
                Effect::EndProcess => ends = true,
            }
        }
        if reports {
            self.check();
        }
        if ends {
            self.kill(now);
        }
        Ok(())
    }

    fn report(&mut self, now: Moment) {
        self.word = self.lifecycle.status();
        self.word_at = now.steady;
    }

    /// What is reported has to be so.
    fn check(&mut self) {
        if self.word.state != self.doing.state() {
            self.news.push(News::FalseState(self.word.state));
        }
    }

    /// Begins with real work, and knows how long each step of it will take.
    fn begin(&mut self, now: Moment, work: Work) {
        let (doing, steps, longest): (_, &[Step], _) = match (work.step, self.lifecycle.state()) {
            (Step::Open, _) => (Doing::Opening, &[Step::Recover, Step::Listen], 3_000),
            (_, ServiceState::ContinuePending) => (Doing::Continuing, &[], 500),
            (_, ServiceState::PausePending) => (Doing::Pausing, &[], 1_500),
            (_, _) => (Doing::Draining, &[Step::Flush, Step::Close], 1_500),
        };
        self.doing = doing;
        self.steps.clear();
        let mut at = now.steady;
        for step in steps {
            at += self.rng.within(50..=longest);
            let left = self.rng.within(2..=1_000);
            self.steps
                .push_back((at, Input::Moved(Work::new(*step, left))));
            at += self.rng.within(10..=500);
            self.steps
                .push_back((at, Input::Moved(Work::new(*step, left / 2))));
        }
        at += self.rng.within(10..=longest);
        self.steps.push_back((at, Input::Done));
    }

    /// The process is gone.
    fn end(&mut self, now: Moment) {
        self.dying = false;
        self.frozen = None;
        self.doing = Doing::Nothing;
        self.wants_continue = false;
        self.steps.clear();
        self.news.push(News::Ended { asked: false });
        let _ = self.take(now, Input::Ended);
        if self.restarts_itself && !self.on_purpose {
            self.restart_at = Some(now.steady + RESTART_MS);
        }
    }
}
