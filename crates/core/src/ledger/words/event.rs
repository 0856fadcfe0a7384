//! The events by which a ledger changes.
//!
//! A command decides; only events change state. So recovery absorbs the same events again and
//! never decides again, whatever version decided first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::ledger::words::details::Details;
use crate::ledger::words::entitlement::Entitlement;
use crate::ledger::words::ids::*;
use crate::ledger::words::reasons::Reason;
use crate::ledger::words::records::*;
use crate::ledger::words::reply::Reply;
use crate::ledger::words::ticket::*;

/// Why a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndCause {
    /// It was given back.
    CheckedIn,
    /// It was not renewed in time.
    Expired,
    /// It was granted to a ticket that nobody fetched it with, or that was left before.
    Unclaimed,
    /// It was given back because nobody used the program, which runs on.
    Idle,
}

/// A fact. Its number is its place in the order of all events; the instant is that of its batch.
/// A data file may hold older forms of these: whoever changes one, or anything inside it, gives
/// the journal a new form and keeps the old (`usher-store`, `journal`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A person was entered, or has a new name.
    SubjectEntered(Subject),
    /// A computer was entered, or its attributes have changed.
    ComputerEntered(Computer),
    /// A product was made or changed.
    ProductPut {
        /// The number of the product.
        product: ProductNumber,
        /// Its settings from now on.
        spec: ProductSpec,
    },
    /// A product was removed.
    ProductRemoved {
        /// The number of the product.
        product: ProductNumber,
    },
    /// An entitlement was made or changed.
    EntitlementPut(Entitlement),
    /// An entitlement was removed.
    EntitlementRemoved {
        /// The number of the entitlement.
        entitlement: EntitlementNumber,
    },
    /// Seats were lent, or the terms of a loan have changed.
    AllotmentPut(Allotment),
    /// Seats were granted.
    Granted {
        /// The lease; its number is this event's.
        lease: Lease,
        /// The counts at that instant.
        scene: Scene,
        /// How it was asked for; none if a ticket has waited for it, which says so.
        ask: Option<Ask>,
    },
    /// A lease lives on.
    Renewed {
        /// The number of the lease.
        lease: EventNumber,
        /// When it ends from now on, on the ledger's clock.
        deadline: Steady,
    },
    /// A lease draws on other allotments now.
    Redrawn {
        /// The number of the lease.
        lease: EventNumber,
        /// From which allotments it takes its seats from now on.
        draws: SmallVec<[Draw; 1]>,
    },
    /// A lease was given its one grace after a reboot.
    Graced {
        /// The number of the lease.
        lease: EventNumber,
        /// When it ends from now on, on the ledger's clock.
        deadline: Steady,
    },
    /// A lease has ended.
    Ended {
        /// The number of the lease.
        lease: EventNumber,
        /// What ended it.
        cause: EndCause,
    },
    /// Another session of the same subject shares a lease.
    Joined {
        /// The lease's number.
        lease: EventNumber,
        /// Which session.
        session: SessionKey,
    },
    /// A session shares a lease no more.
    Left {
        /// The lease's number.
        lease: EventNumber,
        /// Which session.
        session: SessionKey,
    },
    /// A request waits.
    Queued {
        /// The ticket; its number is this event's.
        ticket: Ticket,
        /// The counts at that instant.
        scene: Scene,
        /// How it was asked for.
        ask: Ask,
    },
    /// A ticket is now in another state.
    TicketChanged {
        /// The number of the ticket.
        ticket: EventNumber,
        /// The state.
        state: TicketState,
    },
    /// A ticket is forgotten.
    TicketForgotten {
        /// The number of the ticket.
        ticket: EventNumber,
    },
    /// A checkout was refused.
    Denied {
        /// The refusal; its number is this event's.
        denial: Denial,
        /// How it was asked for.
        ask: Ask,
    },
    /// The same refusal again, within a minute.
    DeniedAgain {
        /// The first one's number.
        denial: EventNumber,
        /// Of which product.
        product: ProductNumber,
        /// Who asked.
        subject: SubjectId,
        /// The computer that asked.
        computer: ComputerId,
        /// Why it was refused.
        reason: Reason,
        /// How often by now.
        count: u64,
        /// How it was asked for.
        ask: Ask,
    },
    /// A program runs without a seat, or goes on so.
    Unseated(Unseated),
    /// A program runs without a seat no more.
    UnseatedEnded {
        /// Which session.
        session: SessionKey,
    },
    /// A session has ended.
    SessionFinished(Box<FinishedSession>),
    /// Programs of no product were started, or ran.
    ProgramsSeen {
        /// The computer on which they were seen.
        computer: ComputerId,
        /// What was seen of each.
        counts: Vec<ProgramUse>,
    },
    /// All of a sender's items up to this one are applied.
    Reported {
        /// The computer whose agent sent them.
        computer: ComputerId,
        /// Its incarnation.
        incarnation: u64,
        /// The item's sequence.
        sequence: u64,
    },
    /// A command was carried out under a key.
    Remembered {
        /// The key.
        key: u128,
        /// Hash of the body.
        body: u64,
        /// What was answered.
        reply: Box<Reply>,
    },
    /// The data file began a new life.
    Reincarnated {
        /// Ids begin with this.
        incarnation: Incarnation,
        /// Nothing is granted until then.
        hold_until: Option<Steady>,
    },
    /// A canary was seated and taken back: nothing has changed, but a commit went all the way.
    CanarySeated,
    /// Nothing is granted from here on.
    Paused,
    /// The pause is over.
    Continued,
    /// A lease of another life was taken over by the one that was granted just before.
    Adopted {
        /// The number of the one that was granted.
        lease: EventNumber,
        /// The one that it takes the place of.
        former: LeaseId,
    },
    /// A session took over the lease that was kept for its person.
    Claimed {
        /// The lease's number.
        lease: EventNumber,
        /// Which session.
        session: SessionKey,
        /// Seconds that it lives without renewal from now on.
        ttl_seconds: u32,
        /// Whether other sessions of the person may share it.
        shared: bool,
    },
    /// A session is the same as one of an earlier incarnation of its agent, and has its seat.
    Rekeyed {
        /// The lease's number.
        lease: EventNumber,
        /// As it was known.
        from: SessionKey,
        /// As it is known now.
        to: SessionKey,
    },
    /// The events from that number up to this one are what one command has changed.
    Changed {
        /// Who sent it.
        by: By,
        /// The first of them.
        from: EventNumber,
    },
    /// Nothing refers to a person any more.
    SubjectForgotten {
        /// The person.
        subject: SubjectId,
    },
    /// Nothing refers to a computer any more.
    ComputerForgotten {
        /// The computer.
        computer: ComputerId,
    },
    /// Something else is said of an entitlement besides its seats and dates.
    EntitlementDescribed {
        /// The number of the entitlement.
        entitlement: EntitlementNumber,
        /// All that is said of it now.
        details: Details,
    },
    /// What runs without a seat, if its agent says so; told once, when it begins to.
    UnseatedProgram {
        /// Which session.
        session: SessionKey,
        /// The program that began it, by file name.
        program: Arc<str>,
    },
}

impl Event {
    /// Whether it changes what is owned or allowed, or is what an operator does: who did it is
    /// kept beside it.
    pub fn is_change(&self) -> bool {
        matches!(
            self,
            Event::ProductPut { .. }
                | Event::ProductRemoved { .. }
                | Event::EntitlementPut(_)
                | Event::EntitlementRemoved { .. }
                | Event::Ended {
                    cause: EndCause::CheckedIn,
                    ..
                }
                | Event::TicketChanged {
                    state: TicketState::Cancelled { .. },
                    ..
                }
                | Event::Reincarnated { .. }
                | Event::Paused
                | Event::Continued
        )
    }

    /// Whether people follow it live: grants, checkins, denials, queue moves, state changes.
    pub fn is_public(&self) -> bool {
        matches!(
            self,
            Event::Granted { .. }
                | Event::Ended { .. }
                | Event::Denied { .. }
                | Event::DeniedAgain { .. }
                | Event::Queued { .. }
                | Event::TicketChanged { .. }
                | Event::ProductPut { .. }
                | Event::ProductRemoved { .. }
        )
    }
}

/// The events of one batch, in order, all of one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The number of the first event.
    pub first: u64,
    /// When the batch was applied, on both clocks.
    pub at: Now,
    /// The events; their numbers grow by one.
    pub events: Arc<[Event]>,
}
