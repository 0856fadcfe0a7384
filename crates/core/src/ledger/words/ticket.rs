//! A waiting request and its states.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::Bundle;

/// The state of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketState {
    /// It has a place in the queue.
    Waiting {
        /// When the place is lost unless it is polled, on the ledger's clock.
        alive_until: Steady,
        /// Set while it is passed over.
        aside: Option<Aside>,
    },
    /// Seats are held for it.
    Granted {
        /// The lease that holds the seats.
        lease: LeaseId,
        /// When the seats pass on unless they are fetched, on the ledger's clock; none once they
        /// were.
        claim_until: Option<Steady>,
    },
    /// Nobody polled it in time, or fetched its granted seats in time.
    Expired {
        /// When the ticket is forgotten, on the ledger's clock.
        forget_at: Steady,
    },
    /// It was withdrawn, or its product was removed.
    Cancelled {
        /// When the ticket is forgotten, on the ledger's clock.
        forget_at: Steady,
    },
    /// It was refused after it had waited.
    Denied {
        /// The id of the decision, which `usher why` takes.
        decision: DecisionId,
        /// Why it was refused.
        reason: Reason,
        /// When the ticket is forgotten, on the ledger's clock.
        forget_at: Steady,
    },
}

/// Why a waiting request is passed over: it asks for more seats than there are, in use or not, so
/// those behind it are served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// When it was first passed over, on the ledger's clock.
    pub since: Steady,
    /// When it is refused as impossible, on the ledger's clock; none if seats that become valid
    /// later would be enough.
    pub deny_at: Option<Steady>,
}

impl TicketState {
    /// The instant at which time alone changes the state; none: it does not.
    pub fn due(&self) -> Option<Steady> {
        match self {
            TicketState::Waiting { alive_until, aside } => {
                let deny_at = aside.and_then(|aside| aside.deny_at);
                Some(deny_at.map_or(*alive_until, |deny_at| deny_at.min(*alive_until)))
            }
            TicketState::Granted { claim_until, .. } => *claim_until,
            TicketState::Expired { forget_at }
            | TicketState::Cancelled { forget_at }
            | TicketState::Denied { forget_at, .. } => Some(*forget_at),
        }
    }
}

/// One waiting request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id. Ids grow in the order of arrival.
    pub id: TicketId,
    /// The product.
    pub product: ProductNumber,
    /// The person who waits.
    pub subject: SubjectId,
    /// The computer on which the seats are to be used.
    pub computer: ComputerId,
    /// Seats asked for.
    pub seats: u32,
    /// The ttl that the lease will have, in seconds.
    pub ttl_seconds: u32,
    /// Requests with a higher priority are served first.
    pub priority: i8,
    /// When it was queued, by the wall clock.
    pub queued_at: Wall,
    /// Its state.
    pub state: TicketState,
    /// The program that it is for, if the request named one.
    pub program: Option<Arc<str>>,
    /// The tickets that it waits with, if the request was for several products.
    pub bundle: Option<Bundle>,
}
