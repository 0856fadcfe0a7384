//! The scenarios by name.

mod false_alarms;
mod q299261;

use crate::clock::{Clock, Moment};
use crate::log::Log;
use crate::plan::Plan;
use crate::planted::Planted;
use crate::report::Report;

/// How a scenario is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What is drawn depends on nothing else.
    pub seed: u64,
    /// A fault that Usher's installation is given, to see that the scenario finds it.
    pub planted: Option<Planted>,
    /// The medium of Usher's ledger; none: the scenario's own.
    pub log: Option<Log>,
}

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// The name that `usher sim` takes.
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

/// All scenarios, in the order of `usher sim --list`.
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
