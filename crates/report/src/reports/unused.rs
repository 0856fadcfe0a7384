//! `unused`: what is owned and was never used, not used in the time, or of which that is not known.

use usher_api::{CountedBy, LastUse, Price, Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;

/// What `unused` is made from.
#[derive(Debug, Clone, Default)]
pub struct UnusedInput {
    /// Each product that is owned, or that something is known of.
    pub products: Vec<ProductUse>,
}

/// A product, what is owned of it, and when it was used.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductUse {
    /// Product id.
    pub product: String,
    /// Its title, for people; the id if it has none.
    pub name: String,
    /// Who counts it.
    pub counted: CountedBy,
    /// Seats owned now, over all servers; none if that is not known.
    pub owned: Option<u64>,
    /// What is paid for it now: a sum for each currency and period.
    pub prices: Vec<Price>,
    /// Sessions within the time.
    pub sessions: u64,
    /// For how long of the time nobody looked.
    pub unobserved_seconds: f64,
    /// The last use, also before the time.
    pub last_use: LastUse,
}

/// What may be cancelled: owned and never used, or not used in the time; and what nobody knows.
pub fn unused(asked: &Asked, input: UnusedInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Unused, "Never used, and not known").report(asked)
}
