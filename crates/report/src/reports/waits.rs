//! `waits`: how long people waited for seats, and what became of it.

use usher_api::{Report, ReportName};

use crate::asked::{Asked, Told};
use crate::draft::Draft;
use crate::gathered::Figures;

/// What `waits` is made from.
#[derive(Debug, Clone)]
pub struct WaitsInput {
    /// The figures of the products.
    pub figures: Figures,
    /// Waits by how they ended.
    pub outcomes: Told<Vec<OutcomeCount>>,
}

/// Waits for a product that ended in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeCount {
    /// Product id.
    pub product: String,
    /// How they ended, in the word of the API: `granted`, `gave_up`, `timed_out`, `denied`, …
    pub outcome: String,
    /// Waits.
    pub waits: u64,
    /// How long they lasted together.
    pub waited_seconds: f64,
}

/// Waits for seats: how many, how long, and how they ended.
pub fn waits(asked: &Asked, input: WaitsInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Waits, "Waits").report(asked)
}
