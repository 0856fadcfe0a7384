//! Events in their old form.

use serde::Deserialize;
use smallvec::SmallVec;
use usher_core::ledger::{self, Computer, EventNumber, Subject};

use super::records::{
    Allotment, Denial, Draw, EndCause, Entitlement, EntitlementNumber, FinishedSession, Lease,
    ProductNumber, ProductSpec, Reason, Scene, SessionKey, Ticket, TicketState, Unseated, draws,
    program_use,
};
use super::reply::Reply;

#[derive(Deserialize)]
pub(super) enum Event {
    SubjectEntered(Subject),
    ComputerEntered(Computer),
    ProductPut {
        product: ProductNumber,
        spec: ProductSpec,
    },
    ProductRemoved {
        product: ProductNumber,
    },
    EntitlementPut(Entitlement),
    EntitlementRemoved {
        entitlement: EntitlementNumber,
    },
    AllotmentPut(Allotment),
    Granted {
        lease: Lease,
        scene: Scene,
    },
    Renewed {
        lease: EventNumber,
        deadline: ledger::Steady,
    },
    Redrawn {
        lease: EventNumber,
        draws: SmallVec<[Draw; 1]>,
    },
    Graced {
        lease: EventNumber,
        deadline: ledger::Steady,
    },
    Ended {
        lease: EventNumber,
        cause: EndCause,
    },
    Joined {
        lease: EventNumber,
        session: SessionKey,
    },
    Left {
        lease: EventNumber,
        session: SessionKey,
    },
    Queued {
        ticket: Ticket,
        scene: Scene,
    },
    TicketChanged {
        ticket: EventNumber,
        state: TicketState,
    },
    TicketForgotten {
        ticket: EventNumber,
    },
    Denied(Denial),
    DeniedAgain {
        denial: EventNumber,
        product: ProductNumber,
        subject: ledger::SubjectId,
        reason: Reason,
        count: u64,
    },
    Unseated(Unseated),
    UnseatedEnded {
        session: SessionKey,
    },
    SessionFinished(Box<FinishedSession>),
    ProgramsSeen {
        computer: ledger::ComputerId,
        counts: Vec<(Box<str>, u64)>,
    },
    Reported {
        computer: ledger::ComputerId,
        incarnation: u64,
        sequence: u64,
    },
    Remembered {
        key: u128,
        body: u64,
        reply: Box<Reply>,
    },
    Reincarnated {
        incarnation: ledger::Incarnation,
        hold_until: Option<ledger::Steady>,
    },
    CanarySeated,
    Paused,
    Continued,
    Adopted {
        lease: EventNumber,
        former: ledger::LeaseId,
    },
    Claimed {
        lease: EventNumber,
        session: SessionKey,
        ttl_seconds: u32,
        shared: bool,
    },
}

impl From<Event> for ledger::Event {
    fn from(event: Event) -> Self {
        use ledger::Event as To;
        match event {
            Event::SubjectEntered(subject) => To::SubjectEntered(subject),
            Event::ComputerEntered(computer) => To::ComputerEntered(computer),
            Event::ProductPut { product, spec } => To::ProductPut {
                product: product.into(),
                spec: spec.into(),
            },
            Event::ProductRemoved { product } => To::ProductRemoved {
                product: product.into(),
            },
            Event::EntitlementPut(entitlement) => To::EntitlementPut(entitlement.into()),
            Event::EntitlementRemoved { entitlement } => To::EntitlementRemoved {
                entitlement: entitlement.into(),
            },
            Event::AllotmentPut(allotment) => To::AllotmentPut(allotment.into()),
            Event::Granted { lease, scene } => {
                let lease = ledger::Lease::from(lease);
                To::Granted {
                    // Whether it would have waited was not kept.
                    ask: lease.ticket.is_none().then(ledger::Ask::default),
                    lease,
                    scene: scene.into(),
                }
            }
            Event::Renewed { lease, deadline } => To::Renewed { lease, deadline },
            Event::Redrawn { lease, draws: from } => To::Redrawn {
                lease,
                draws: draws(from),
            },
            Event::Graced { lease, deadline } => To::Graced { lease, deadline },
            Event::Ended { lease, cause } => To::Ended {
                lease,
                cause: cause.into(),
            },
            Event::Joined { lease, session } => To::Joined {
                lease,
                session: session.into(),
            },
            Event::Left { lease, session } => To::Left {
                lease,
                session: session.into(),
            },
            Event::Queued { ticket, scene } => To::Queued {
                ticket: ticket.into(),
                scene: scene.into(),
                ask: ledger::Ask {
                    waits: true,
                    ..ledger::Ask::default()
                },
            },
            Event::TicketChanged { ticket, state } => To::TicketChanged {
                ticket,
                state: state.into(),
            },
            Event::TicketForgotten { ticket } => To::TicketForgotten { ticket },
            Event::Denied(denial) => To::Denied {
                denial: denial.into(),
                ask: ledger::Ask::default(),
            },
            Event::DeniedAgain {
                denial,
                product,
                subject,
                reason,
                count,
            } => To::DeniedAgain {
                denial,
                product: product.into(),
                subject,
                // Refusals on all computers of a person were one: none is known to be the same.
                computer: ledger::ComputerId(0),
                reason: reason.into(),
                count,
                ask: ledger::Ask::default(),
            },
            Event::Unseated(unseated) => To::Unseated(ledger::Unseated {
                product: unseated.product.into(),
                subject: unseated.subject,
                session: unseated.session.into(),
                ttl_seconds: unseated.ttl_seconds,
                deadline: unseated.deadline,
                reason: unseated.reason.into(),
            }),
            Event::UnseatedEnded { session } => To::UnseatedEnded {
                session: session.into(),
            },
            Event::SessionFinished(finished) => {
                To::SessionFinished(Box::new(ledger::FinishedSession {
                    session: ledger::SessionKey {
                        incarnation: finished.sender_incarnation,
                        ..finished.session.into()
                    },
                    product: finished.product.into(),
                    program: finished.program,
                    version: finished.version,
                    subject: finished.subject,
                    real_subject: finished.real_subject,
                    started_at: finished.started_at,
                    ended_at: finished.ended_at,
                    duration_ms: finished.duration_ms,
                    unseated_ms: match finished.lease {
                        None => finished.duration_ms,
                        Some(_) => 0,
                    },
                    lease: finished.lease,
                }))
            }
            Event::ProgramsSeen { computer, counts } => To::ProgramsSeen {
                computer,
                counts: counts.into_iter().map(program_use).collect(),
            },
            Event::Reported {
                computer,
                incarnation,
                sequence,
            } => To::Reported {
                computer,
                incarnation,
                sequence,
            },
            Event::Remembered { key, body, reply } => To::Remembered {
                key,
                body,
                reply: Box::new((*reply).into()),
            },
            Event::Reincarnated {
                incarnation,
                hold_until,
            } => To::Reincarnated {
                incarnation,
                hold_until,
            },
            Event::CanarySeated => To::CanarySeated,
            Event::Paused => To::Paused,
            Event::Continued => To::Continued,
            Event::Adopted { lease, former } => To::Adopted { lease, former },
            Event::Claimed {
                lease,
                session,
                ttl_seconds,
                shared,
            } => To::Claimed {
                lease,
                session: session.into(),
                ttl_seconds,
                shared,
            },
        }
    }
}
