//! What the organisation owns: a right to use a product, counted by the model that it was bought by.
//!
//! A model is added here as a variant with its data; what it allows is said in a file of its own,
//! in `judge`.

use serde::{Deserialize, Serialize};

use crate::ledger::words::ids::*;
use crate::ledger::words::validity::Bound;

/// How the seats of an entitlement are counted (the licence model).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// Concurrent use: at any time at most as many seats are in use as are owned, by anybody.
    Concurrent {
        /// Seats owned.
        seats: u32,
        /// Seats beyond those owned that may be in use.
        overdraft: u32,
    },
    /// A model that exists only in tests.
    #[cfg(test)]
    PerUser(crate::ledger::judge::per_user::PerUser),
    /// A model that exists only in tests.
    #[cfg(test)]
    Hours(crate::ledger::judge::hours::Hours),
}

impl Model {
    /// Concurrent seats without overdraft.
    pub fn concurrent(seats: u32) -> Model {
        Model::Concurrent {
            seats,
            overdraft: 0,
        }
    }

    /// Seats owned, and the overdraft.
    fn counts(&self) -> (u32, u32) {
        match self {
            Model::Concurrent { seats, overdraft } => (*seats, *overdraft),
            #[cfg(test)]
            Model::PerUser(own) => (own.seats, 0),
            #[cfg(test)]
            Model::Hours(own) => (own.seats, 0),
        }
    }

    /// Seats that may be in use, overdraft included: the size of its allotment.
    pub fn seats_in_all(&self) -> u32 {
        let (seats, overdraft) = self.counts();
        seats.saturating_add(overdraft)
    }
}

/// A right that the organisation owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Entitlement {
    /// Its number within the ledger.
    pub number: EntitlementNumber,
    /// The product.
    pub product: ProductNumber,
    /// How its seats are counted, and how many there are.
    pub model: Model,
    /// The first instant at which it is valid; none: it always was.
    pub from: Option<Bound>,
    /// The first instant at which it is no longer valid; none: it never ends.
    pub to: Option<Bound>,
    /// The allotment that gives its seats to this ledger.
    pub allotment: AllotmentNumber,
}

/// The form of a concurrent entitlement in journals, from before there were models. Another model
/// needs the journal's next form.
#[derive(Serialize, Deserialize)]
struct Stored {
    number: EntitlementNumber,
    product: ProductNumber,
    seats: u32,
    overdraft: u32,
    from: Option<Bound>,
    to: Option<Bound>,
    allotment: AllotmentNumber,
}

impl From<Entitlement> for Stored {
    fn from(owned: Entitlement) -> Stored {
        let (seats, overdraft) = owned.model.counts();
        Stored {
            number: owned.number,
            product: owned.product,
            seats,
            overdraft,
            from: owned.from,
            to: owned.to,
            allotment: owned.allotment,
        }
    }
}

impl From<Stored> for Entitlement {
    fn from(stored: Stored) -> Entitlement {
        Entitlement {
            number: stored.number,
            product: stored.product,
            model: Model::Concurrent {
                seats: stored.seats,
                overdraft: stored.overdraft,
            },
            from: stored.from,
            to: stored.to,
            allotment: stored.allotment,
        }
    }
}
