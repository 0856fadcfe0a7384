//! `position`: owned, used and needed, with the shortfall by metric and date.

use usher_api::{Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;
use crate::gathered::{Figures, OwnedOn};

/// What `position` is made from.
#[derive(Debug, Clone, Default)]
pub struct PositionInput {
    /// All entitlements, also those that ended and those that begin later.
    pub entitlements: Vec<OwnedOn>,
    /// The figures of the products, over the time.
    pub figures: Figures,
    /// What each product needs, if that was worked out; of others, need is what was used, and at
    /// least that if somebody was refused for good.
    pub needs: Vec<Need>,
}

/// How many seats would have served everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Product id.
    pub product: String,
    /// Concurrent seats.
    pub seats: u64,
    /// How that was found, in words, such as "what-if over 12,345 asks".
    pub why: String,
}

/// Owned, used and needed of each product and metric, at the end of the time and at each later date
/// on which what is owned changes.
pub fn position(asked: &Asked, input: PositionInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Position, "Owned, used, needed").report(asked)
}
