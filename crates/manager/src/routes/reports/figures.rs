//! The figures of use of the products.

use usher_core::usage::Bucket;
use usher_report::Figures;
use usher_site::{UsedParts, UsedProduct};

use super::gathering::Gathering;
use super::question::STRETCHES_LIMIT;
use crate::problem::Refusal;
use crate::routes::usage::answer::of_product;

/// Of how many uses and seats there were, alone.
pub(super) const LEVELS: UsedParts = UsedParts {
    levels: true,
    who: false,
    wants: false,
};
/// Of refusals and waits alone.
pub(super) const WANTS: UsedParts = UsedParts {
    levels: false,
    who: false,
    wants: true,
};

impl Gathering<'_> {
    /// Of the whole time, and, if a grain was asked for, of each stretch. Of what is not asked they have
    /// nothing.
    pub(super) async fn figures(&mut self, parts: UsedParts) -> Result<Figures, Refusal> {
        let stretches = self.question.stretches.clone();
        let mut figures = self.whole_figures(parts).await?;
        if stretches.is_empty() {
            return Ok(figures);
        }
        for of in self.products().await? {
            if figures.by_time.len() + stretches.len() > STRETCHES_LIMIT {
                self.cut(
                    "stretches of time",
                    format!(
                        "a report has at most {STRETCHES_LIMIT}, and those of {} and of what comes \
                         behind it are left out: ask for one product, or a coarser grain",
                        of.product
                    ),
                );
                break;
            }
            figures
                .by_time
                .extend(self.items(&of, &stretches, parts).await?);
        }
        Ok(figures)
    }

    /// Of the whole time alone.
    pub(super) async fn whole_figures(&mut self, parts: UsedParts) -> Result<Figures, Refusal> {
        let whole = [self.question.whole()];
        let mut figures = Figures::default();
        for of in self.products().await? {
            figures.whole.extend(self.items(&of, &whole, parts).await?);
        }
        Ok(figures)
    }

    /// Those of one product in some stretches.
    pub(super) async fn items(
        &mut self,
        of: &UsedProduct,
        stretches: &[Bucket],
        parts: UsedParts,
    ) -> Result<Vec<usher_api::SiteUsage>, Refusal> {
        let now_ms = self.question.period.now_ms;
        let found = of_product(self.app, of, stretches, now_ms, (parts, &self.ground)).await?;
        self.cuts(found.cut);
        self.archived(found.archived);
        Ok(found.items)
    }
}
