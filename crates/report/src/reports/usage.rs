//! `usage`: use over time.

use usher_api::{Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;
use crate::gathered::{Figures, UseOf};

/// What `usage` is made from.
#[derive(Debug, Clone, Default)]
pub struct UsageInput {
    /// The figures of the products.
    pub figures: Figures,
    /// By person, computer or group if that was asked for; else empty.
    pub by: Vec<UseOf>,
}

/// Use over time: sessions, people, open and active time, seats, refusals and waits.
pub fn usage(asked: &Asked, input: UsageInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Usage, "Use over time").report(asked)
}
