//! A waiting request and its states.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::Bundle;

/// What became of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketState {
    /// It has a place in the queue until this instant, unless it is polled.
    Waiting {
        /// The place is lost then.
        alive_until: Steady,
        /// Why it is passed over for now, if it is.
        aside: Option<Aside>,
    },
    /// A seat is held; until it is fetched, only to this instant.
    Granted {
        /// The lease that holds the seats.
        lease: LeaseId,
        /// The seat passes on then; none once it was fetched.
        claim_until: Option<Steady>,
    },
    /// Its place or its granted seat was not asked after in time.
    Expired {
        /// When the ticket is forgotten, on the ledger's clock.
        forget_at: Steady,
    },
    /// It was taken back, or its product was removed.
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

/// A waiting request that asks for more seats than there are, in use or not: those behind it are
/// served before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// When it was first passed over, on the ledger's clock.
    pub since: Steady,
    /// When it is refused as impossible; none if seats that are owned already become valid
    /// later and would be enough.
    pub deny_at: Option<Steady>,
}

impl TicketState {
    /// When time alone changes it.
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
    /// Its id; its number is its arrival.
    pub id: TicketId,
    /// Of which product.
    pub product: ProductNumber,
    /// Who waits.
    pub subject: SubjectId,
    /// Where it is to be used.
    pub computer: ComputerId,
    /// Seats asked for.
    pub seats: u32,
    /// Seconds that the lease will live without renewal.
    pub ttl_seconds: u32,
    /// Higher is served first.
    pub priority: i8,
    /// When it was queued.
    pub queued_at: Wall,
    /// What became of it.
    pub state: TicketState,
    /// The program that it is for, if that was said.
    pub program: Option<Arc<str>>,
    /// The tickets that it waits with, if several products were asked for at once.
    pub bundle: Option<Bundle>,
}
