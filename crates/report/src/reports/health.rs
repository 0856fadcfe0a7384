//! `health`: how the metering servers are, and what is open.

use usher_api::{ComponentSummary, Report, ReportName, StatusMessage, WatchedServer};

use crate::asked::Asked;
use crate::draft::Draft;

/// What `health` is made from: what the manager concludes now.
#[derive(Debug, Clone, Default)]
pub struct HealthInput {
    /// The watched servers.
    pub servers: Vec<WatchedServer>,
    /// The status of each component.
    pub components: Vec<ComponentSummary>,
    /// Messages that are open, the newest first.
    pub open: Vec<StatusMessage>,
}

/// The verdict on each server, how far its history is collected, and what is open.
pub fn health(asked: &Asked, input: HealthInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Health, "Health").report(asked)
}
