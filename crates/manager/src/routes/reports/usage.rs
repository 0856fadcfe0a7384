//! `usage`: use over time, and by person or computer.

use usher_api::{GroupBy, Report};
use usher_report::{UsageInput, UseOf};
use usher_site::UsedBy;

use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.figures().await?;
    let by = match gathering.question.parameters.group_by {
        None | Some(GroupBy::Product) => Vec::new(),
        Some(group) => by_group(&mut gathering, group).await?,
    };
    Ok(usher_report::usage(
        &gathering.basis(),
        UsageInput { figures, by },
    ))
}

/// Who used what, by person or computer.
pub(super) async fn by_group(
    gathering: &mut Gathering<'_>,
    group: GroupBy,
) -> Result<Vec<UseOf>, Refusal> {
    match group {
        GroupBy::User => gathering.uses(UsedBy::Person).await,
        GroupBy::Computer => gathering.uses(UsedBy::Computer).await,
        GroupBy::Product => Ok(Vec::new()),
        GroupBy::Group => {
            gathering.note(
                "This version does not know which groups people are in: nothing is divided among \
                 groups. group_by=user shows each person.",
            );
            Ok(Vec::new())
        }
    }
}
