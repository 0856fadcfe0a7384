//! What a server says that it holds of each product.

use std::time::Duration;

use usher_api::ProductFacts;

use crate::clock::steady;

/// What is older is not known any more: a server that serves is asked about twice a minute.
pub(crate) const FRESH: Duration = Duration::from_secs(120);

/// The counts of one look.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    /// When the server told them, on the clock that counts sleep.
    at: Duration,
    /// Its products.
    pub(crate) products: Vec<ProductFacts>,
    /// Products beyond these.
    pub(crate) left_out: u64,
}

impl Levels {
    /// What a server has just told.
    pub(crate) fn now(products: Vec<ProductFacts>, left_out: u64) -> Levels {
        Levels {
            at: steady(),
            products,
            left_out,
        }
    }

    /// How old they are.
    pub(crate) fn age(&self) -> Duration {
        steady().saturating_sub(self.at)
    }
}
