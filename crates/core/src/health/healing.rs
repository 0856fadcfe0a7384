//! When and how a manager restarts a server that does not recover by itself.
//!
//! If a service manager or supervisor starts a service again by itself, it is left to it: there
//! are never two healers. What was stopped on purpose stays stopped.

use std::time::Duration;

use super::hourly::Hourly;
use super::weigh::{Judgement, Verdict};

/// The limits of healing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealingOptions {
    /// How long trouble must last before healing begins.
    pub patience: Duration,
    /// How long a stop may take before the process is ended by force.
    pub stop_deadline: Duration,
    /// How long a start may take before it counts as failed.
    pub start_deadline: Duration,
    /// The largest number of restarts within an hour.
    pub times_an_hour: usize,
}

impl Default for HealingOptions {
    fn default() -> Self {
        HealingOptions {
            patience: Duration::from_secs(30),
            stop_deadline: Duration::from_secs(60),
            start_deadline: Duration::from_secs(120),
            times_an_hour: 3,
        }
    }
}

/// The next step. Each is a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealingStep {
    /// Ask the service manager to stop the service.
    AskToStop,
    /// End its process, after checking that it is still the same one.
    EndProcess,
    /// Ask the service manager to start it.
    Start,
    /// The hourly limit is reached; an administrator has to act.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Watching,
    Stopping { until: Duration },
    Ending { until: Duration },
    Starting { until: Duration },
    GivenUp,
}

/// Whether healing can help: the server is stuck, or stopped though nobody asked for that.
fn is_in_trouble(judgement: &Judgement) -> bool {
    match judgement.verdict {
        Verdict::Stuck => true,
        Verdict::Stopped => !judgement.on_purpose,
        _ => false,
    }
}

/// Watches a server that needs healing and cannot get it, for example because it has no unit. That
/// is reported once in each period of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helpless {
    patience: Duration,
    trouble_since: Option<Duration>,
    is_told: bool,
}

impl Helpless {
    /// A watch with the patience that a healer would have.
    pub fn new(options: &HealingOptions) -> Self {
        Helpless {
            patience: options.patience,
            trouble_since: None,
            is_told: false,
        }
    }

    /// Whether to report, after this judgement at the time `now`, that nothing can be done.
    pub fn is_to_be_told(&mut self, now: Duration, judgement: &Judgement) -> bool {
        if !is_in_trouble(judgement) {
            (self.trouble_since, self.is_told) = (None, false);
            return false;
        }
        let since = *self.trouble_since.get_or_insert(now);
        let is_due = !self.is_told && now - since >= self.patience;
        self.is_told |= is_due;
        is_due
    }
}

/// One server's healer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healer {
    options: HealingOptions,
    stage: Stage,
    trouble_since: Option<Duration>,
    tried: Hourly,
}

impl Healer {
    /// A healer that has nothing to do yet.
    pub fn new(options: HealingOptions) -> Self {
        Healer {
            tried: Hourly::new(options.times_an_hour),
            options,
            stage: Stage::Watching,
            trouble_since: None,
        }
    }

    /// The step that follows from this judgement at the time `now`; none: nothing is to be done.
    pub fn next(&mut self, now: Duration, judgement: &Judgement) -> Option<HealingStep> {
        let Some(service) = &judgement.service else {
            return self.rest();
        };
        let stopped = judgement.verdict == Verdict::Stopped;
        let asked_to_stop = matches!(self.stage, Stage::Stopping { .. } | Stage::Ending { .. });
        // A stop that the healer asked for looks as if it were on purpose.
        let in_trouble = is_in_trouble(judgement) || (stopped && asked_to_stop);
        let others_heal = service.restarts_itself && !asked_to_stop;
        if !in_trouble || others_heal {
            return self.rest();
        }
        let since = *self.trouble_since.get_or_insert(now);
        let may_try = self.tried.may(now);
        match self.stage {
            Stage::Watching if now - since < self.options.patience => None,
            Stage::Watching => self.begin(now, stopped),
            Stage::Stopping { .. } | Stage::Ending { .. } if stopped => Some(self.start(now)),
            Stage::Stopping { until } if now >= until => {
                self.stage = Stage::Ending {
                    until: now + self.options.stop_deadline,
                };
                Some(HealingStep::EndProcess)
            }
            Stage::Ending { until } if now >= until => {
                self.stage = Stage::GivenUp;
                Some(HealingStep::GiveUp)
            }
            Stage::Starting { until } if now >= until => self.begin(now, stopped),
            Stage::GivenUp if may_try => self.begin(now, stopped),
            _ => None,
        }
    }

    fn rest(&mut self) -> Option<HealingStep> {
        self.stage = Stage::Watching;
        self.trouble_since = None;
        None
    }

    fn begin(&mut self, now: Duration, stopped: bool) -> Option<HealingStep> {
        if !self.tried.may(now) {
            let told = self.stage == Stage::GivenUp;
            self.stage = Stage::GivenUp;
            return (!told).then_some(HealingStep::GiveUp);
        }
        self.tried.note(now);
        if stopped {
            return Some(self.start(now));
        }
        self.stage = Stage::Stopping {
            until: now + self.options.stop_deadline,
        };
        Some(HealingStep::AskToStop)
    }

    fn start(&mut self, now: Duration) -> HealingStep {
        self.stage = Stage::Starting {
            until: now + self.options.start_deadline,
        };
        HealingStep::Start
    }
}
