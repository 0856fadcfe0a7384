//! The answers of a ledger.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::words::details::Details;
use crate::ledger::words::entitlement::Entitlement;
use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::*;
use crate::ledger::words::ticket::*;

/// A ticket and its current place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// The ticket.
    pub ticket: Ticket,
    /// Place in the queue, from 1; 0 if it no longer waits.
    pub position: u32,
    /// The expected wait, estimated from how long seats were held recently; none if nothing is
    /// known.
    pub expected_wait_seconds: Option<u64>,
    /// The lease, if it was granted and is still held.
    pub lease: Option<Lease>,
    /// The further products that it waits for, or holds.
    pub also: Box<[Also]>,
}

/// A further product of the same request, and its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// Product id.
    pub product: Arc<str>,
    /// How many seats of it.
    pub seats: u32,
    /// The lease of these seats, if they are held.
    pub lease: Option<LeaseId>,
}

/// An entitlement and how much of it is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementView {
    /// The entitlement.
    pub entitlement: Entitlement,
    /// Product id.
    pub product: Arc<str>,
    /// Seats of it in use.
    pub in_use: u64,
    /// Its name, price and contract. A kept answer has the details of the time when it is repeated.
    #[serde(skip)]
    pub details: Details,
}

/// What became of an item of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemReply {
    /// The session has a lease.
    Granted {
        /// The lease that holds the seats.
        lease: LeaseId,
        /// Seconds that it lives on without renewal.
        ttl_seconds: u32,
    },
    /// The session runs without a seat.
    Unseated(Reason),
    /// The lease, or the entry as unseated, was renewed.
    Renewed {
        /// Seconds that it lives on without renewal.
        ttl_seconds: u32,
    },
    /// The item is recorded.
    Done,
    /// The ledger knows no such session.
    UnknownSession,
    /// There is no such product.
    UnknownProduct,
    /// The agent held the session's program for a seat: there is none, and the program must not
    /// run.
    Denied(Box<DeniedItem>),
    /// The agent held the session's program for a seat, and the ledger grants nothing to anybody at
    /// present: nothing was decided.
    Undecided,
}

/// Why a session whose program was held got no seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedItem {
    /// The id of the decision, which `usher why` takes.
    pub decision: DecisionId,
    /// Why it was refused.
    pub reason: Reason,
    /// Product id.
    pub product: Arc<str>,
    /// Seats asked for.
    pub seats: u32,
    /// The counts of the product at this instant.
    pub scene: Scene,
}

/// What a ledger answers. Data files hold some replies, so variants may only be added; those that
/// are never stored come last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The seats are granted and held.
    Granted {
        /// The lease; that of the product that was named first, if there are several.
        lease: Lease,
        /// The further products of the request, with their leases.
        also: Box<[Also]>,
    },
    /// The request has a place in the queue.
    Queued(TicketView),
    /// The request was refused.
    Denied {
        /// The product that was refused; if several were, the first of them.
        product: Arc<str>,
        /// Seats of it that were asked for.
        seats: u32,
        /// The id of the decision, which `usher why` takes.
        decision: DecisionId,
        /// Why it was refused.
        reason: Reason,
        /// The counts just before the refusal.
        scene: Scene,
    },
    /// The server was restored and grants nothing yet.
    Held {
        /// Seconds until it grants again.
        for_seconds: u64,
    },
    /// The ttl is above the product's maximum.
    TtlTooLong {
        /// The maximum, in seconds.
        max_ttl_seconds: u32,
    },
    /// The lease was renewed. Names are for display.
    Renewed {
        /// The lease, with its new deadline.
        lease: Lease,
        /// Product id.
        product: Arc<str>,
        /// The person's name.
        user: Arc<str>,
        /// The computer's name.
        computer: Arc<str>,
        /// The further products of the request, with their leases.
        also: Box<[Also]>,
    },
    /// The state of a ticket. Names are for display.
    Ticket {
        /// The ticket and its place.
        view: Box<TicketView>,
        /// Product id.
        product: Arc<str>,
        /// The person's name.
        user: Arc<str>,
        /// The computer's name.
        computer: Arc<str>,
    },
    /// The command was carried out; there is nothing to tell.
    Done,
    /// The surrogates of the person and the computer that were looked up.
    Entered {
        /// The person's surrogate.
        subject: Option<SubjectId>,
        /// The computer's surrogate.
        computer: Option<ComputerId>,
    },
    /// The product as it is now.
    Product(ProductSpec),
    /// The entitlement as it is now.
    Entitlement(EntitlementView),
    /// No such product.
    UnknownProduct,
    /// No such product; the request named it as a further one.
    UnknownOther(Arc<str>),
    /// No such entitlement.
    UnknownEntitlement,
    /// No such lease, as far as the sender may see.
    UnknownLease,
    /// No such ticket, as far as the sender may see.
    UnknownTicket,
    /// A product of that id exists already.
    ProductExists,
    /// An entitlement cannot move to another product.
    ProductFixed,
    /// A newer incarnation of this sender has reported already.
    StaleSender,
    /// The idempotency key was used for a request with another body.
    KeyConflict,
    /// What became of each item of a report.
    #[serde(skip)]
    Report {
        /// The incarnation (life) of the data file.
        incarnation: Incarnation,
        /// How far the sender's items were applied before this report.
        before: crate::ledger::Mark,
        /// The highest sequence that was applied.
        acknowledged: u64,
        /// The answers, in the order of the items.
        items: Vec<ItemReply>,
    },
    /// A canary was seated and taken back, or why it was not.
    #[serde(skip)]
    Canary(Result<(), Reason>),
    /// The answer that the same command got before.
    #[serde(skip)]
    Replayed(Box<Reply>),
    /// The server is paused, and nothing was done.
    #[serde(skip)]
    Paused,
    /// Another entitlement, whose number this is, has that name already.
    #[serde(skip)]
    NameTaken(EntitlementNumber),
}

impl Reply {
    /// The reply as it is stored. Names belong in the directory only, so it keeps surrogates, and
    /// no details of an entitlement.
    pub(in crate::ledger) fn without_names(self) -> Reply {
        let none = Arc::<str>::default;
        match self {
            Reply::Renewed {
                lease,
                product,
                also,
                ..
            } => Reply::Renewed {
                lease,
                product,
                user: none(),
                computer: none(),
                also,
            },
            Reply::Ticket { view, product, .. } => Reply::Ticket {
                view,
                product,
                user: none(),
                computer: none(),
            },
            Reply::Entitlement(view) => Reply::Entitlement(EntitlementView {
                details: Details::default(),
                ..view
            }),
            other => other,
        }
    }
}
