//! `waits`: the figures of use, and waits by how they ended.

use usher_api::Report;
use usher_report::{OutcomeCount, WaitsInput};
use usher_site::UsedBy;

use super::denials::product;
use super::figures::WANTS;
use super::gathering::Gathering;
use super::uses::seconds;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.figures(WANTS).await?;
    let mut outcomes = Vec::new();
    for of in figures.whole.iter().filter(|it| it.waits.count > 0) {
        let asked = gathering.sums_asked(&product(of), UsedBy::Person);
        let found = gathering.app.tools.site.wait_sums(asked).await?;
        outcomes.extend(found.into_iter().map(|it| OutcomeCount {
            product: of.product.clone(),
            outcome: it.outcome,
            waits: it.waits,
            waited_seconds: seconds(it.waited_ms),
        }));
    }
    let outcomes = Ok(outcomes);
    Ok(usher_report::waits(
        &gathering.basis(),
        WaitsInput { figures, outcomes },
    ))
}
