//! `position`: entitlements, and the figures of use. What is needed is not worked out for all
//! products at once: a what-if does that for one.

use usher_api::Report;
use usher_report::PositionInput;
use usher_site::UsedParts;

use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let entitlements = gathering.owned().await?;
    let figures = gathering.whole_figures(UsedParts::ALL).await?;
    gathering.note(
        "What is needed is taken from use and refusals; `usher whatif PRODUCT --seats 5..12` replays them with \
         other numbers of seats.",
    );
    Ok(usher_report::position(
        &gathering.basis(),
        PositionInput {
            entitlements,
            figures,
            needs: Vec::new(),
        },
    ))
}
