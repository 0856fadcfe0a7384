//! The events by which a ledger changes.
//!
//! Commands decide; only events change state. So recovery applies the same events again and decides
//! nothing again, whichever version made the decisions.

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
    /// Its holder gave it back.
    CheckedIn,
    /// It was not renewed within its ttl.
    Expired,
    /// It was granted to a ticket, and nobody fetched it in time or the ticket was cancelled first.
    Unclaimed,
    /// The agent gave it back because nobody used the program (`on_idle`); the program runs on.
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
    /// A lease was renewed.
    Renewed {
        /// The number of the lease.
        lease: EventNumber,
        /// When it ends from now on, on the ledger's clock.
        deadline: Steady,
    },
    /// A lease takes its seats from other allotments now.
    Redrawn {
        /// The number of the lease.
        lease: EventNumber,
        /// The allotments that its seats come from now.
        draws: SmallVec<[Draw; 1]>,
    },
    /// A lease got its one grace period after a reboot.
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
        /// Why it ended.
        cause: EndCause,
    },
    /// Another session of the same subject shares a lease.
    Joined {
        /// The number of the lease.
        lease: EventNumber,
        /// The session that joins, leaves, takes over or runs unseated.
        session: SessionKey,
    },
    /// A session no longer shares a lease.
    Left {
        /// The number of the lease.
        lease: EventNumber,
        /// The session that joins, leaves, takes over or runs unseated.
        session: SessionKey,
    },
    /// A request was queued.
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
        /// The new state.
        state: TicketState,
    },
    /// The record of a ticket was removed: its id is unknown from now on.
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
    /// The same request was refused again for the same reason, within a minute.
    DeniedAgain {
        /// The number of the first refusal.
        denial: EventNumber,
        /// The product that was asked for.
        product: ProductNumber,
        /// The person who asked.
        subject: SubjectId,
        /// The computer that asked.
        computer: ComputerId,
        /// Why it was refused.
        reason: Reason,
        /// How many times the request was refused by now, the first included.
        count: u64,
        /// How it was asked for.
        ask: Ask,
    },
    /// A session runs without a seat, or was renewed as such.
    Unseated(Unseated),
    /// A session no longer runs without a seat: it has one, or has ended.
    UnseatedEnded {
        /// The session that joins, leaves, takes over or runs unseated.
        session: SessionKey,
    },
    /// A session has ended.
    SessionFinished(Box<FinishedSession>),
    /// Programs that belong to no product were started, or ran.
    ProgramsSeen {
        /// The computer on which they were seen.
        computer: ComputerId,
        /// One entry for each program.
        counts: Vec<ProgramUse>,
    },
    /// All items of an agent up to this sequence number are applied.
    Reported {
        /// The computer whose agent sent them.
        computer: ComputerId,
        /// The incarnation of the agent.
        incarnation: u64,
        /// The sequence number of the last item that is applied.
        sequence: u64,
    },
    /// The answer to a command with an idempotency key is kept for its repeats.
    Remembered {
        /// Hash of the sender, the route and the idempotency key.
        key: u128,
        /// Hash of the request's body.
        body: u64,
        /// The answer that was given.
        reply: Box<Reply>,
    },
    /// The data file began a new life.
    Reincarnated {
        /// The new incarnation, with which ids begin.
        incarnation: Incarnation,
        /// Nothing is granted before this instant; none: grants begin at once.
        hold_until: Option<Steady>,
    },
    /// A canary seat was granted and taken back. No state changes; the event proves a complete
    /// commit.
    CanarySeated,
    /// The server was paused: nothing is granted from now on.
    Paused,
    /// The pause is over.
    Continued,
    /// The lease that was granted just before replaces one from another life of the data file.
    Adopted {
        /// The number of the new lease.
        lease: EventNumber,
        /// The id of the lease that it replaces.
        former: LeaseId,
    },
    /// A session took over the lease that was kept for its person.
    Claimed {
        /// The number of the lease.
        lease: EventNumber,
        /// The session that joins, leaves, takes over or runs unseated.
        session: SessionKey,
        /// The lease's new ttl, in seconds.
        ttl_seconds: u32,
        /// Whether other sessions of the person may share the lease.
        shared: bool,
    },
    /// A session was recognised as one that an earlier incarnation of its agent reported, and keeps
    /// that one's seat.
    Rekeyed {
        /// The number of the lease.
        lease: EventNumber,
        /// The key under which it was known.
        from: SessionKey,
        /// The key under which it is known now.
        to: SessionKey,
    },
    /// The events from `from` up to this one are the changes of one command.
    Changed {
        /// Who sent it.
        by: By,
        /// The number of the first of these events.
        from: EventNumber,
    },
    /// A person that no record refers to was removed from the directory.
    SubjectForgotten {
        /// The person.
        subject: SubjectId,
    },
    /// A computer that no record refers to was removed from the directory.
    ComputerForgotten {
        /// The computer.
        computer: ComputerId,
    },
    /// The name, price or contract of an entitlement has changed.
    EntitlementDescribed {
        /// The number of the entitlement.
        entitlement: EntitlementNumber,
        /// All its details from now on.
        details: Details,
    },
    /// Which program an unseated session runs, if its agent tells; recorded once, when the session
    /// becomes unseated.
    UnseatedProgram {
        /// The session that joins, leaves, takes over or runs unseated.
        session: SessionKey,
        /// The program that began it, by file name.
        program: Arc<str>,
    },
}

impl Event {
    /// Whether it changes what is owned or allowed, or is an operator's act. Who did it is recorded
    /// with such an event.
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

    /// Whether `GET /v1/events` shows it: grants, checkins, refusals, moves in the queue, changes
    /// of products.
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
