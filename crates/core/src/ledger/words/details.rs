//! What is said of an entitlement besides its seats and dates: a name of the organisation's own, and
//! what the ledger carries without looking into it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of an entitlement, its price, contract and the like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// A name that no other entitlement of the ledger has; none if nobody gave one.
    pub name: Option<Arc<str>>,
    /// Price, contract and the like as JSON, which the ledger does not read; empty if there are
    /// none.
    pub document: Arc<str>,
}

impl Details {
    /// Whether there are no details.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.document.is_empty()
    }
}
