//! Reprise License Manager (RLM).

pub mod report;
pub mod rlmstat;
mod time;
