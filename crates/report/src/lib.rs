//! usher-report: from what is known of a site to reports: tables, plots and pages.
//!
//! All of it is pure: a builder for each report ([`usage`], [`peaks`], …) takes what was asked
//! ([`Asked`]) and what was gathered, and gives a [`usher_api::Report`]; a renderer takes a report
//! and gives text. It opens no files, asks no network and reads no clock.

#![forbid(unsafe_code)]

mod asked;
mod draft;
mod gathered;
mod hash;
mod list;
mod reports;

pub use asked::{Asked, Told};
pub use gathered::{Figures, OwnedOn, UseOf};
pub use hash::hash;
pub use list::{Listed, explanation, list};
pub use reports::*;

/// The most products of which `heatmap` shows a map.
pub const HEAT_MAPS_LIMIT: usize = 12;
