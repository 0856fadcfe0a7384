//! `usage`: use over time, and by person, computer or group.

use usher_api::{GroupBy, Report};
use usher_report::{UsageInput, UseOf};
use usher_site::{UsedBy, UsedParts};

use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.figures(UsedParts::ALL).await?;
    let group = gathering.question.parameters.group_by;
    let by = by_each(&mut gathering, group).await?;
    let groups = gathering.groups_if_asked().await?;
    Ok(usher_report::usage(
        &gathering.basis(),
        UsageInput {
            figures,
            by,
            groups,
        },
    ))
}

/// Who used what, by person or computer.
pub(super) async fn by_each(
    gathering: &mut Gathering<'_>,
    group: Option<GroupBy>,
) -> Result<Vec<UseOf>, Refusal> {
    match group {
        Some(GroupBy::User) => gathering.uses(UsedBy::Person).await,
        Some(GroupBy::Computer) => gathering.uses(UsedBy::Computer).await,
        None | Some(GroupBy::Product | GroupBy::Group) => Ok(Vec::new()),
    }
}
