//! A pure builder for each report, beside the form of what it is made from.

mod cost;
mod denials;
mod expiring;
mod gave_up;
mod health;
mod heatmap;
mod holders;
mod peaks;
mod people;
mod position;
mod programs;
mod unused;
mod usage;
mod waits;

pub use cost::{CostInput, cost};
pub use denials::{DenialsInput, ReasonCount, denials};
pub use expiring::{ExpiringInput, expiring};
pub use gave_up::{CameBack, GaveUpInput, TurnedDown, gave_up};
pub use health::{HealthInput, health};
pub use heatmap::{HEAT_MAPS_LIMIT, HeatmapInput, heatmap};
pub use holders::{Held, HeldAs, HoldersInput, SeatsNow, Waiting, holders};
pub use peaks::{PeaksInput, peaks};
pub use people::{PeopleGroups, PeopleInput, people};
pub use position::{Need, PositionInput, position};
pub use programs::{ProgramsInput, programs};
pub use unused::{ProductUse, UnusedInput, unused};
pub use usage::{UsageInput, usage};
pub use waits::{OutcomeCount, WaitsInput, waits};
