//! `heatmap`: the figures of each hour, of the products that were used most.

use std::collections::BTreeSet;

use usher_api::{CountedBy, Report, SiteUsage};
use usher_core::usage::{Counted, Grain};
use usher_report::{HEAT_MAPS_LIMIT, HeatmapInput};

use super::figures::LEVELS;
use super::gathering::Gathering;
use super::question::stretches;
use crate::problem::Refusal;

/// The most hours of all maps together.
const HOURS_LIMIT: usize = 100_000;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let question = &gathering.question;
    let hours = stretches(&question.period, Grain::Hour, &question.zone)?;
    let whole = gathering.whole_figures(LEVELS).await?.whole;
    let maps = (HOURS_LIMIT / hours.len().max(1)).clamp(1, HEAT_MAPS_LIMIT);
    let shown = most_used(&whole, maps);
    let left_out = whole.iter().filter(|it| it.sessions > 0).count() > shown.len();
    if left_out {
        gathering.cut(
            "products",
            format!("only the {maps} that were used longest are shown: ask for one product"),
        );
    }
    let mut input = HeatmapInput::default();
    for of in gathering.products().await? {
        let counted = match of.counted {
            Counted::Here => CountedBy::Here,
            Counted::Elsewhere => CountedBy::Elsewhere,
        };
        if shown.contains(&(of.product.clone(), counted == CountedBy::Here)) {
            input
                .hours
                .extend(gathering.items(&of, &hours, LEVELS).await?);
        }
    }
    Ok(usher_report::heatmap(&gathering.basis(), input))
}

/// Those that were used longest, each with whether it is counted here. If none was used, the first,
/// so that it is shown that nothing was.
fn most_used(whole: &[SiteUsage], maps: usize) -> BTreeSet<(String, bool)> {
    let mut by_use: Vec<&SiteUsage> = whole.iter().collect();
    // Sorting keeps the order of what is equal.
    by_use.sort_by(|one, other| other.open_seconds.total_cmp(&one.open_seconds));
    let used = by_use.iter().filter(|it| it.sessions > 0).count();
    let many = used.clamp(1, maps);
    let most = by_use.into_iter().take(many);
    most.map(|it| (it.product.clone(), it.counted == CountedBy::Here))
        .collect()
}
