//! The scenarios by name.

mod false_alarms;
mod q299261;

use crate::clock::{Clock, Moment};
use crate::plan::Plan;
use crate::report::Report;

/// How a scenario is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What is drawn depends on nothing else.
    pub seed: u64,
    /// A fault that Usher's installation is given, to see that the scenario finds it.
    pub planted: Option<Planted>,
}

/// Faults that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The service says that it stops when the pack begins, and does not (KB Q299261).
    FalseStop,
    /// While a pack runs the manager hears neither API nor canary.
    DeafToWork,
    /// A pack that is due is left out.
    SkippedPack,
    /// Requests are answered before they are durable.
    EarlyAnswers,
    /// The manager believes its first good look for ever.
    StaleLooks,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 5] = [
        Planted::FalseStop,
        Planted::DeafToWork,
        Planted::SkippedPack,
        Planted::EarlyAnswers,
        Planted::StaleLooks,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Planted::FalseStop => "false-stop",
            Planted::DeafToWork => "deaf-to-work",
            Planted::SkippedPack => "skipped-pack",
            Planted::EarlyAnswers => "early-answers",
            Planted::StaleLooks => "stale-looks",
        }
    }
}

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it plays, in a line.
    pub summary: &'static str,
    play: fn(&Options) -> Report,
}

impl Scenario {
    /// The scenario of that name.
    pub fn named(name: &str) -> Option<&'static Scenario> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// Plays it.
    pub fn play(&self, options: &Options) -> Report {
        (self.play)(options)
    }
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: q299261::NAME,
        summary: "four weeks of SMS 2.0 SP3 and of Usher under the same events (KB Q299261)",
        play: q299261::play,
    },
    Scenario {
        name: false_alarms::NAME,
        summary: "24 hours of polls each second: no false alarm, and every true one",
        play: false_alarms::play,
    },
];

/// The first and the last moment of a plan, were the wall clock never stepped.
fn ends(plan: &Plan) -> (Clock, Moment, Moment) {
    let clock = Clock::new(plan.start_wall, plan.zone.clone());
    let (first, last) = (clock.at(0), clock.at(plan.length));
    (clock, first, last)
}
