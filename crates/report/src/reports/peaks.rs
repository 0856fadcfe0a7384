//! `peaks`: the most seats at once, beside what is owned.

use usher_api::{Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;
use crate::gathered::Figures;

/// What `peaks` is made from.
#[derive(Debug, Clone, Default)]
pub struct PeaksInput {
    /// The figures of the products.
    pub figures: Figures,
}

/// The most seats at once, and the level that is not exceeded for 95 % of the time, beside what is
/// owned.
pub fn peaks(asked: &Asked, input: PeaksInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Peaks, "Peaks").report(asked)
}
