//! How each event is undone.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::ledger::kept::denials::Before;
use crate::ledger::*;

/// What undoes an event. Applied in the reverse order of a batch, these restore the state before
/// it.
#[derive(Debug, Clone)]
pub(in crate::ledger) enum Undo {
    Subject {
        id: SubjectId,
        before: Option<Subject>,
    },
    Computer {
        id: ComputerId,
        before: Option<Computer>,
    },
    SubjectForgotten(Box<Subject>),
    ComputerForgotten(Box<Computer>),
    Product {
        product: ProductNumber,
        before: Option<Listing>,
        version_before: u64,
    },
    Entitlement {
        number: EntitlementNumber,
        before: Option<Entitlement>,
    },
    Details {
        number: EntitlementNumber,
        before: Details,
    },
    Allotment {
        product: ProductNumber,
        number: AllotmentNumber,
        before: Option<Allotment>,
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
        before: Before,
    },
    Unseated {
        session: SessionKey,
        before: Option<Unseated>,
    },
    Mark {
        computer: ComputerId,
        before: Option<Mark>,
    },
    Key {
        key: u128,
    },
    Incarnation {
        incarnation: Incarnation,
        hold_until: Option<Steady>,
        life_began: u64,
        adopted: BTreeSet<LeaseId>,
    },
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
