//! `denials`: the figures of use, and refusals by reason.

use usher_api::{CountedBy, Report, SiteUsage};
use usher_core::usage::Counted;
use usher_report::{DenialsInput, Figures, ReasonCount};
use usher_site::{UsedBy, UsedProduct};

use super::figures::WANTS;
use super::gathering::Gathering;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.figures(WANTS).await?;
    let mut reasons = Vec::new();
    for of in refused(&figures) {
        let asked = gathering.sums_asked(&of, UsedBy::Person);
        let found = gathering.app.tools.site.refused(asked).await?;
        gathering.archived(found.archived);
        reasons.extend(found.reasons.into_iter().map(|it| ReasonCount {
            product: of.product.clone(),
            reason: it.reason,
            refusals: it.refusals,
            people: it.people,
        }));
    }
    let reasons = Ok(reasons);
    Ok(usher_report::denials(
        &gathering.basis(),
        DenialsInput { figures, reasons },
    ))
}

/// The products of which somebody was refused in the time.
pub(super) fn refused(figures: &Figures) -> Vec<UsedProduct> {
    let is_refused = |it: &&SiteUsage| {
        let denials = it.denials;
        denials.for_good > 0 || denials.satisfied_later > 0 || denials.retries > 0
    };
    let refused = figures.whole.iter().filter(is_refused);
    refused.map(product).collect()
}

/// As the site knows it.
pub(super) fn product(it: &SiteUsage) -> UsedProduct {
    UsedProduct {
        product: it.product.clone(),
        counted: match it.counted {
            CountedBy::Here => Counted::Here,
            CountedBy::Elsewhere => Counted::Elsewhere,
        },
    }
}
