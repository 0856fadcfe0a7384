//! `cost`: entitlements with their prices, the figures of use, and who used what.

use usher_api::{GroupBy, Report};
use usher_report::CostInput;
use usher_site::UsedParts;

use super::gathering::Gathering;
use super::usage::by_each;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let parameters = &mut gathering.question.parameters;
    let group = *parameters.group_by.get_or_insert(GroupBy::User);
    let entitlements = gathering.owned().await?;
    let parts = UsedParts {
        wants: false,
        ..UsedParts::ALL
    };
    let figures = gathering.whole_figures(parts).await?;
    let uses = by_each(&mut gathering, Some(group)).await?;
    let groups = gathering.groups_if_asked().await?;
    Ok(usher_report::cost(
        &gathering.basis(),
        CostInput {
            entitlements,
            figures,
            uses,
            groups,
        },
    ))
}
