//! What the organisation owns: a right to use a product, counted by the model that it was bought by.
//!
//! A model is added here as a variant with its data; what it allows is said in a file of its own,
//! in `judge`.

use serde::{Deserialize, Serialize};

use crate::ledger::words::ids::*;
use crate::ledger::words::validity::Bound;

/// By what the seats of an entitlement are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// As many seats are in use at once as are owned, whoever uses them.
    Concurrent {
        /// Seats owned.
        seats: u32,
        /// Seats beyond those owned that may be in use.
        overdraft: u32,
    },
    /// Made up for tests.
    #[cfg(test)]
    PerUser(crate::ledger::judge::per_user::PerUser),
    /// Made up for tests.
    #[cfg(test)]
    Hours(crate::ledger::judge::hours::Hours),
}

impl Model {
    /// Concurrent seats without any overdraft.
    pub fn concurrent(seats: u32) -> Model {
        Model::Concurrent {
            seats,
            overdraft: 0,
        }
    }

    /// Seats that it has, and those beyond them that may be in use.
    fn counts(&self) -> (u32, u32) {
        match self {
            Model::Concurrent { seats, overdraft } => (*seats, *overdraft),
            #[cfg(test)]
            Model::PerUser(own) => (own.seats, 0),
            #[cfg(test)]
            Model::Hours(own) => (own.seats, 0),
        }
    }

    /// Seats that may be in use, overdraft included: what an allotment of it holds.
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
    /// Of which product.
    pub product: ProductNumber,
    /// By what its seats are counted, and how many they are.
    pub model: Model,
    /// With what validity begins; none: always was.
    pub from: Option<Bound>,
    /// With what validity ends; none: never.
    pub to: Option<Bound>,
    /// The allotment by which this ledger has its seats.
    pub allotment: AllotmentNumber,
}

/// How an entitlement stands in journals, from before models had names: a concurrent one. Another
/// model gives the journal its next form.
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
