//! `people`: by person and product, and which groups they are in.

use usher_api::{GroupBy, Report};
use usher_report::{PeopleGroups, PeopleInput};
use usher_site::UsedBy;

use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let uses = gathering.uses(UsedBy::Person).await?;
    let groups = match gathering.question.parameters.group_by {
        Some(GroupBy::Group) => gathering.people_groups(&uses),
        _ => PeopleGroups::default(),
    };
    Ok(usher_report::people(
        &gathering.basis(),
        PeopleInput { uses, groups },
    ))
}
