//! `people`: by person and product.

use usher_api::Report;
use usher_report::PeopleInput;
use usher_site::UsedBy;

use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let uses = gathering.uses(UsedBy::Person).await?;
    Ok(usher_report::people(
        &gathering.basis(),
        PeopleInput { uses },
    ))
}
