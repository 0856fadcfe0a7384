//! How each event is undone.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::ledger::kept::denials::Before;
use crate::ledger::*;

/// The life of the data file before another began.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct LifeBefore {
    pub(in crate::ledger) incarnation: Incarnation,
    pub(in crate::ledger) hold_until: Option<Steady>,
    pub(in crate::ledger) life_began: u64,
    pub(in crate::ledger) adopted: BTreeSet<LeaseId>,
}

/// What undoes an event. Applied in the reverse order of a batch, these restore the state before
/// it. There is one for each event, so what few have is in a box.
#[derive(Debug, Clone)]
pub(in crate::ledger) enum Undo {
    Subject {
        id: SubjectId,
        before: Option<Box<Subject>>,
    },
    Computer {
        id: ComputerId,
        before: Option<Box<Computer>>,
    },
    SubjectForgotten(Box<Subject>),
    ComputerForgotten(Box<Computer>),
    Product {
        product: ProductNumber,
        before: Option<Box<Listing>>,
        version_before: u64,
    },
    Entitlement {
        number: EntitlementNumber,
        before: Option<Box<Entitlement>>,
    },
    Details {
        number: EntitlementNumber,
        before: Box<Details>,
    },
    Allotment {
        product: ProductNumber,
        number: AllotmentNumber,
        before: Option<Box<Allotment>>,
    },
    Granted {
        lease: EventNumber,
        shared_before: Option<EventNumber>,
    },
    Lease {
        lease: EventNumber,
        deadline: Steady,
        graced: bool,
    },
    Draws {
        lease: EventNumber,
        draws: SmallVec<[Draw; 1]>,
    },
    Ended {
        /// The slot of the lease until the batch is sealed.
        slot: u32,
        shared: bool,
    },
    Joined {
        lease: EventNumber,
        session: SessionKey,
    },
    Left {
        lease: EventNumber,
        session: SessionKey,
    },
    Rekeyed {
        lease: EventNumber,
        from: SessionKey,
        to: SessionKey,
    },
    Queued {
        ticket: EventNumber,
    },
    Ticket {
        ticket: EventNumber,
        before: TicketState,
    },
    Forgotten {
        ticket: Box<Ticket>,
    },
    Denied {
        before: Box<Before>,
    },
    Unseated {
        session: SessionKey,
        before: Option<Box<Unseated>>,
    },
    Mark {
        computer: ComputerId,
        before: Option<Mark>,
    },
    Key {
        key: u128,
    },
    Incarnation(Box<LifeBefore>),
    Adopted {
        former: LeaseId,
    },
    Claimed {
        lease: EventNumber,
        session: SessionKey,
        ttl_seconds: u32,
        shared_before: Option<EventNumber>,
    },
    Paused {
        before: bool,
    },
    Nothing,
}
