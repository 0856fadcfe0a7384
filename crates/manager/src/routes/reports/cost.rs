//! `cost`: entitlements with their prices, the figures of use, and who used what.

use usher_api::{GroupBy, Report};
use usher_report::CostInput;

use super::gathering::Gathering;
use super::usage::by_group;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let group = *gathering
        .question
        .parameters
        .group_by
        .get_or_insert(GroupBy::User);
    let entitlements = gathering.owned().await?;
    let figures = gathering.whole_figures().await?;
    let uses = by_group(&mut gathering, group).await?;
    Ok(usher_report::cost(
        &gathering.basis(),
        CostInput {
            entitlements,
            figures,
            uses,
        },
    ))
}
