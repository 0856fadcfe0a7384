//! The manager at its HTTP surface, beside servers and receivers that a test plays.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod catalogue;
mod collecting;
mod delivery;
mod groups;
mod holds;
mod imports;
mod metrics;
mod relay;
mod reports;
mod requests;
mod sources;
mod standing;
mod support;
mod tokens;
mod usage;
mod watching;
mod whatif;
