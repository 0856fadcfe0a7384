//! The answers of a ledger.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::words::details::Details;
use crate::ledger::words::entitlement::Entitlement;
use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::*;
use crate::ledger::words::ticket::*;

/// A ticket as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// The ticket.
    pub ticket: Ticket,
    /// Place in the queue, from 1; 0 if it waits no more.
    pub position: u32,
    /// Estimate, from how long seats were held lately.
    pub expected_wait_seconds: Option<u64>,
    /// The lease, if it was granted and is still held.
    pub lease: Option<Lease>,
    /// What else it waits for, or holds.
    pub also: Box<[Also]>,
}

/// Another product of the same ask, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// Product id.
    pub product: Arc<str>,
    /// How many seats of it.
    pub seats: u32,
    /// Their lease, if it is held.
    pub lease: Option<LeaseId>,
}

/// An entitlement as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementView {
    /// The entitlement.
    pub entitlement: Entitlement,
    /// Product id.
    pub product: Arc<str>,
    /// Seats of it in use.
    pub in_use: u64,
    /// What else is said of it. A kept answer is given with what is said of it then.
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
    /// The lease or entry lives on.
    Renewed {
        /// Seconds that it lives on without renewal.
        ttl_seconds: u32,
    },
    /// It is recorded.
    Done,
    /// No such session is held here.
    UnknownSession,
    /// There is no such product.
    UnknownProduct,
    /// The session's program was held for a seat, and must not run.
    Denied(Box<DeniedItem>),
    /// The session's program was held for a seat, and nobody gets one for now, neither who asks
    /// nor who waits: nothing was decided.
    Undecided,
}

/// A refused session.
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
    /// The counts now.
    pub scene: Scene,
}

/// What a ledger answers. Some replies are kept, so variants are only added; those that never are
/// kept come last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Seats are held.
    Granted {
        /// The lease; of the product that was named first, if several were.
        lease: Lease,
        /// What is held with it.
        also: Box<[Also]>,
    },
    /// A place in the queue.
    Queued(TicketView),
    /// Refused.
    Denied {
        /// Of which product there is none to be had: of several, the first.
        product: Arc<str>,
        /// Seats asked for of it.
        seats: u32,
        /// The id of the decision, which `usher why` takes.
        decision: DecisionId,
        /// Why it was refused.
        reason: Reason,
        /// The counts at that instant.
        scene: Scene,
    },
    /// After a restore: nothing is granted for so long.
    Held {
        /// How many seconds are left.
        for_seconds: u64,
    },
    /// The ttl asked for is over the product's maximum.
    TtlTooLong {
        /// The maximum, in seconds.
        max_ttl_seconds: u32,
    },
    /// The lease lives on. Names are for display.
    Renewed {
        /// The lease, with its new deadline.
        lease: Lease,
        /// Product id.
        product: Arc<str>,
        /// The person's name.
        user: Arc<str>,
        /// The computer's name.
        computer: Arc<str>,
        /// What is held with it.
        also: Box<[Also]>,
    },
    /// The ticket. Names are for display.
    Ticket {
        /// The ticket as it stands.
        view: Box<TicketView>,
        /// Product id.
        product: Arc<str>,
        /// The person's name.
        user: Arc<str>,
        /// The computer's name.
        computer: Arc<str>,
    },
    /// It is done.
    Done,
    /// The surrogates of who and what was looked up.
    Entered {
        /// Of the person.
        subject: Option<SubjectId>,
        /// Of the computer.
        computer: Option<ComputerId>,
    },
    /// The product as it is now.
    Product(ProductSpec),
    /// The entitlement as it is now.
    Entitlement(EntitlementView),
    /// No such product.
    UnknownProduct,
    /// No such product among those asked for beside the first.
    UnknownOther(Arc<str>),
    /// No such entitlement.
    UnknownEntitlement,
    /// No such lease, for who asks.
    UnknownLease,
    /// No such ticket, for who asks.
    UnknownTicket,
    /// A product of that id is there already.
    ProductExists,
    /// An entitlement cannot move to another product.
    ProductFixed,
    /// A newer incarnation of this sender has reported already.
    StaleSender,
    /// The key was used for a command with another body.
    KeyConflict,
    /// What became of each item of a report.
    #[serde(skip)]
    Report {
        /// Which life of the data file answers.
        incarnation: Incarnation,
        /// How far the sender's items were applied before.
        before: crate::ledger::Mark,
        /// The highest sequence that was applied.
        acknowledged: u64,
        /// In the order of the items.
        items: Vec<ItemReply>,
    },
    /// A canary was seated and taken back, or why it was not.
    #[serde(skip)]
    Canary(Result<(), Reason>),
    /// The answer that the same command got before.
    #[serde(skip)]
    Replayed(Box<Reply>),
    /// It is paused, and nothing was done.
    #[serde(skip)]
    Paused,
    /// Another entitlement has that name already.
    #[serde(skip)]
    NameTaken(EntitlementNumber),
}

impl Reply {
    /// Names stand in the directory only: what is kept of a reply holds surrogates, and nothing of
    /// an entitlement's details.
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
