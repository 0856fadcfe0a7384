//! `heatmap`: use by weekday and hour.

use usher_api::{Report, ReportName, SiteUsage};

use crate::asked::Asked;
use crate::draft::Draft;

/// What `heatmap` is made from.
#[derive(Debug, Clone, Default)]
pub struct HeatmapInput {
    /// Each hour of the time in the zone that was asked for, product by product. One product is
    /// best; of several, the first [`crate::HEAT_MAPS_LIMIT`] are shown.
    pub hours: Vec<SiteUsage>,
}

/// Use by weekday and hour: when a product is busy, and when its seats rest.
pub fn heatmap(asked: &Asked, input: HeatmapInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Heatmap, "Use by weekday and hour").report(asked)
}
