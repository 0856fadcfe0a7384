//! `cost`: what is paid in the time, for what use, and for whom.

use usher_api::{Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;
use crate::gathered::{Figures, OwnedOn, UseOf};

/// What `cost` is made from.
#[derive(Debug, Clone, Default)]
pub struct CostInput {
    /// All entitlements.
    pub entitlements: Vec<OwnedOn>,
    /// The figures of the products, over the time.
    pub figures: Figures,
    /// Who used what: by group, person or computer, as was asked for. Each use is in one row only.
    pub uses: Vec<UseOf>,
}

/// The cost of each product in the time, and each group's, person's or computer's share of it by
/// seat seconds.
pub fn cost(asked: &Asked, input: CostInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Cost, "Cost and chargeback").report(asked)
}
