//! `peaks`: the figures of use, and those of groups.

use usher_api::Report;
use usher_report::PeaksInput;

use super::figures::LEVELS;
use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.figures(LEVELS).await?;
    let groups = gathering.groups_if_asked().await?;
    Ok(usher_report::peaks(
        &gathering.basis(),
        PeaksInput { figures, groups },
    ))
}
