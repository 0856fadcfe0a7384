//! usher-sim: a whole site in one thread on a virtual clock, with faults.
//!
//! A scenario makes a [`Plan`](plan) of what happens from outside (requests, kills, clock steps,
//! an administrator's controls) out of a seed, lets it happen to one or more installations, and
//! judges what these said against the simulator's own truth. The same seed gives the same bytes.
//! What decides in Usher's installation is the shipped code of usher-core, and what keeps it the
//! shipped store over a [`Disk`] that loses what is not synced; processes and networks are made up.

#![deny(unsafe_code)]

mod clients;
mod clock;
mod disk;
mod log;
mod plan;
mod planted;
mod report;
mod rng;
mod run;
mod scenarios;
mod sp3;
mod tally;
mod text;
mod timeline;
mod truth;
mod usher;

pub use disk::Disk;
pub use log::Log;
pub use planted::Planted;
pub use report::{Column, Report, SeedFaults, Series};
pub use scenarios::{Options, SCENARIOS, Scenario};
pub use tally::Tally;
pub use timeline::Entry;
