//! usher-report: from what is known of a site to reports: tables, plots and pages.
//!
//! All of it is pure: a builder for each report ([`usage()`], [`peaks()`], …) takes what was asked
//! ([`Asked`]) and what was gathered, and gives a [`usher_api::Report`]; a renderer ([`render`])
//! takes a report and gives text. It opens no files, asks no network and reads no clock.

#![forbid(unsafe_code)]

mod asked;
mod by_group;
mod cells;
mod draft;
mod gathered;
mod hash;
mod list;
mod money;
mod plots;
pub mod render;
mod reports;
mod since;
mod words;

pub use asked::{Asked, Kept, Told};
pub use draft::ROWS_LIMIT;
pub use gathered::{Figures, GroupUse, GroupUses, OfGroup, OwnedOn, UseOf};
pub use hash::hash;
pub use list::{Listed, explanation, list};
pub use reports::*;
pub use since::since;
