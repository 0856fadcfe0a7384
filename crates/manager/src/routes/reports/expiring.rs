//! `expiring`: entitlements.

use usher_api::Report;
use usher_report::ExpiringInput;

use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let entitlements = gathering.owned().await?;
    Ok(usher_report::expiring(
        &gathering.basis(),
        ExpiringInput {
            entitlements,
            is_owned_known: gathering.ground.told.is_owned_known,
        },
    ))
}
