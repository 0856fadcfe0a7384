//! The records in events and answers: leases, tickets, products and the like.

use std::sync::Arc;

use serde::Deserialize;
use smallvec::SmallVec;
use usher_core::ledger::{self, Bound, Wall};

macro_rules! numbers {
    ($($name:ident($inner:ty) => $to:ident;)*) => {$(
        #[derive(Clone, Copy, Deserialize)]
        pub(super) struct $name($inner);

        impl From<$name> for ledger::$to {
            fn from(number: $name) -> Self {
                ledger::$to(number.0.into())
            }
        }
    )*};
}

numbers! {
    ProductNumber(u32) => ProductNumber;
    EntitlementNumber(u32) => EntitlementNumber;
    AllotmentNumber(u32) => AllotmentNumber;
}

#[derive(Deserialize)]
pub(super) struct Draw {
    pub(super) allotment: AllotmentNumber,
    pub(super) seats: u32,
}

impl From<Draw> for ledger::Draw {
    fn from(draw: Draw) -> Self {
        ledger::Draw {
            allotment: draw.allotment.into(),
            seats: draw.seats,
        }
    }
}

pub(super) fn program_use((program, starts): (Box<str>, u64)) -> ledger::ProgramUse {
    ledger::ProgramUse {
        program,
        starts,
        run_seconds: 0,
        package: None,
        desktop_name: None,
    }
}

pub(super) fn draws(draws: SmallVec<[Draw; 1]>) -> SmallVec<[ledger::Draw; 1]> {
    draws.into_iter().map(Into::into).collect()
}

#[derive(Deserialize)]
pub(super) struct ProductSpec {
    pub(super) id: Arc<str>,
    pub(super) enabled: bool,
    pub(super) max_ttl_seconds: u32,
    pub(super) queue_limit: u32,
    pub(super) shared_by_subject: bool,
    pub(super) document: Arc<str>,
}

impl From<ProductSpec> for ledger::ProductSpec {
    fn from(spec: ProductSpec) -> Self {
        ledger::ProductSpec {
            id: spec.id,
            enabled: spec.enabled,
            max_ttl_seconds: spec.max_ttl_seconds,
            queue_limit: spec.queue_limit,
            shared_by_subject: spec.shared_by_subject,
            impossible_seconds: ledger::DEFAULT_IMPOSSIBLE_SECONDS,
            document: spec.document,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Entitlement {
    pub(super) number: EntitlementNumber,
    pub(super) product: ProductNumber,
    pub(super) seats: u32,
    pub(super) overdraft: u32,
    pub(super) from: Option<Wall>,
    pub(super) to: Option<Wall>,
    pub(super) allotment: AllotmentNumber,
}

impl From<Entitlement> for ledger::Entitlement {
    fn from(entitlement: Entitlement) -> Self {
        ledger::Entitlement {
            number: entitlement.number.into(),
            product: entitlement.product.into(),
            model: ledger::Model::Concurrent {
                seats: entitlement.seats,
                overdraft: entitlement.overdraft,
            },
            from: entitlement.from.map(Bound::At),
            to: entitlement.to.map(Bound::At),
            allotment: entitlement.allotment.into(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Allotment {
    pub(super) number: AllotmentNumber,
    pub(super) product: ProductNumber,
    pub(super) entitlement: EntitlementNumber,
    pub(super) seats: u32,
    pub(super) from: Option<Wall>,
    pub(super) to: Option<Wall>,
    pub(super) deadline: Option<ledger::Steady>,
}

impl From<Allotment> for ledger::Allotment {
    fn from(allotment: Allotment) -> Self {
        ledger::Allotment {
            number: allotment.number.into(),
            product: allotment.product.into(),
            entitlement: allotment.entitlement.into(),
            seats: allotment.seats,
            from: allotment.from.map(Bound::At),
            to: allotment.to.map(Bound::At),
            deadline: allotment.deadline,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Lease {
    pub(super) id: ledger::LeaseId,
    pub(super) product: ProductNumber,
    pub(super) subject: ledger::SubjectId,
    pub(super) computer: ledger::ComputerId,
    pub(super) seats: u32,
    pub(super) ttl_seconds: u32,
    pub(super) deadline: ledger::Steady,
    pub(super) granted_at: Wall,
    pub(super) granted: ledger::Steady,
    pub(super) draws: SmallVec<[Draw; 1]>,
    pub(super) session: Option<u64>,
    pub(super) ticket: Option<ledger::TicketId>,
    pub(super) holders: Box<[SessionKey]>,
    pub(super) graced: bool,
    pub(super) program: Option<Arc<str>>,
}

impl From<Lease> for ledger::Lease {
    fn from(lease: Lease) -> Self {
        ledger::Lease {
            id: lease.id,
            product: lease.product.into(),
            subject: lease.subject,
            computer: lease.computer,
            seats: lease.seats,
            ttl_seconds: lease.ttl_seconds,
            deadline: lease.deadline,
            granted_at: lease.granted_at,
            granted: lease.granted,
            draws: draws(lease.draws),
            session: lease.session.map(|session| ledger::SessionKey {
                computer: lease.computer,
                session,
                incarnation: 0,
            }),
            ticket: lease.ticket,
            holders: lease.holders.into_iter().map(Into::into).collect(),
            graced: lease.graced,
            program: lease.program,
            bundle: None,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct SessionKey {
    pub(super) computer: ledger::ComputerId,
    pub(super) session: u64,
}

impl From<SessionKey> for ledger::SessionKey {
    fn from(key: SessionKey) -> Self {
        ledger::SessionKey {
            computer: key.computer,
            session: key.session,
            incarnation: 0,
        }
    }
}

#[derive(Deserialize)]
pub(super) enum TicketState {
    Waiting {
        alive_until: ledger::Steady,
    },
    Granted {
        lease: ledger::LeaseId,
        claim_until: Option<ledger::Steady>,
    },
    Expired {
        forget_at: ledger::Steady,
    },
    Cancelled {
        forget_at: ledger::Steady,
    },
}

impl From<TicketState> for ledger::TicketState {
    fn from(state: TicketState) -> Self {
        match state {
            TicketState::Waiting { alive_until } => ledger::TicketState::Waiting {
                alive_until,
                aside: None,
            },
            TicketState::Granted { lease, claim_until } => {
                ledger::TicketState::Granted { lease, claim_until }
            }
            TicketState::Expired { forget_at } => ledger::TicketState::Expired { forget_at },
            TicketState::Cancelled { forget_at } => ledger::TicketState::Cancelled { forget_at },
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Ticket {
    pub(super) id: ledger::TicketId,
    pub(super) product: ProductNumber,
    pub(super) subject: ledger::SubjectId,
    pub(super) computer: ledger::ComputerId,
    pub(super) seats: u32,
    pub(super) ttl_seconds: u32,
    pub(super) priority: i8,
    pub(super) queued_at: Wall,
    pub(super) state: TicketState,
    pub(super) program: Option<Arc<str>>,
}

impl From<Ticket> for ledger::Ticket {
    fn from(ticket: Ticket) -> Self {
        ledger::Ticket {
            id: ticket.id,
            product: ticket.product.into(),
            subject: ticket.subject,
            computer: ticket.computer,
            seats: ticket.seats,
            ttl_seconds: ticket.ttl_seconds,
            priority: ticket.priority,
            queued_at: ticket.queued_at,
            state: ticket.state.into(),
            program: ticket.program,
            bundle: None,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct Scene {
    pub(super) seats: u64,
    pub(super) in_use: u64,
    pub(super) queued: u32,
}

impl From<Scene> for ledger::Scene {
    fn from(scene: Scene) -> Self {
        ledger::Scene {
            seats: scene.seats,
            in_use: scene.in_use,
            queued: scene.queued,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum Reason {
    NoSeat,
    NoEntitlement,
    EntitlementExpired,
    ProductDisabled,
    QueueFull,
    Undecided,
}

impl From<Reason> for ledger::Reason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NoSeat => ledger::Reason::NoSeat,
            Reason::NoEntitlement => ledger::Reason::NoEntitlement,
            Reason::EntitlementExpired => ledger::Reason::EntitlementExpired,
            Reason::ProductDisabled => ledger::Reason::ProductDisabled,
            Reason::QueueFull => ledger::Reason::QueueFull,
            Reason::Undecided => ledger::Reason::Undecided,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum EndCause {
    CheckedIn,
    Expired,
    Unclaimed,
    Idle,
}

impl From<EndCause> for ledger::EndCause {
    fn from(cause: EndCause) -> Self {
        match cause {
            EndCause::CheckedIn => ledger::EndCause::CheckedIn,
            EndCause::Expired => ledger::EndCause::Expired,
            EndCause::Unclaimed => ledger::EndCause::Unclaimed,
            EndCause::Idle => ledger::EndCause::Idle,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Denial {
    pub(super) id: ledger::DecisionId,
    pub(super) product: ProductNumber,
    pub(super) subject: ledger::SubjectId,
    pub(super) computer: ledger::ComputerId,
    pub(super) seats: u32,
    pub(super) reason: Reason,
    pub(super) scene: Scene,
}

impl From<Denial> for ledger::Denial {
    fn from(denial: Denial) -> Self {
        ledger::Denial {
            id: denial.id,
            product: denial.product.into(),
            subject: denial.subject,
            computer: denial.computer,
            seats: denial.seats,
            reason: denial.reason.into(),
            scene: denial.scene.into(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Unseated {
    pub(super) product: ProductNumber,
    pub(super) subject: ledger::SubjectId,
    pub(super) session: SessionKey,
    pub(super) ttl_seconds: u32,
    pub(super) deadline: ledger::Steady,
    pub(super) reason: Reason,
}

#[derive(Deserialize)]
pub(super) struct FinishedSession {
    pub(super) session: SessionKey,
    pub(super) sender_incarnation: u64,
    pub(super) product: ProductNumber,
    pub(super) program: Box<str>,
    pub(super) version: Option<Box<str>>,
    pub(super) subject: ledger::SubjectId,
    pub(super) real_subject: Option<ledger::SubjectId>,
    pub(super) started_at: Wall,
    pub(super) ended_at: Wall,
    pub(super) duration_ms: u64,
    pub(super) lease: Option<ledger::LeaseId>,
}
