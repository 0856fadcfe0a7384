//! Events and kept answers as they stood in data files of schema 1 and 2: postcard, one after
//! another, without length or form.
//!
//! These types are a record of that form. They never change, whatever becomes of the ledger's own.

use std::sync::Arc;

use serde::Deserialize;
use smallvec::SmallVec;
use usher_core::ledger::{self, Bound, Computer, EventNumber, Subject, Wall};

/// Reads `count` events, and no byte more.
pub(super) fn events(mut bytes: &[u8], count: usize) -> Result<Vec<ledger::Event>, String> {
    let mut events = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        let (event, rest) =
            postcard::take_from_bytes::<Event>(bytes).map_err(|error| error.to_string())?;
        events.push(event.into());
        bytes = rest;
    }
    match bytes.len() {
        0 => Ok(events),
        left => Err(format!("{left} bytes are left over")),
    }
}

/// Reads a kept answer.
pub(crate) fn reply(bytes: &[u8]) -> Result<ledger::Reply, String> {
    let (reply, left) =
        postcard::take_from_bytes::<Reply>(bytes).map_err(|error| error.to_string())?;
    match left.len() {
        0 => Ok(reply.into()),
        left => Err(format!("{left} bytes are left over")),
    }
}

macro_rules! numbers {
    ($($name:ident($inner:ty) => $to:ident;)*) => {$(
        #[derive(Clone, Copy, Deserialize)]
        struct $name($inner);

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
struct Draw {
    allotment: AllotmentNumber,
    seats: u32,
}

impl From<Draw> for ledger::Draw {
    fn from(draw: Draw) -> Self {
        ledger::Draw {
            allotment: draw.allotment.into(),
            seats: draw.seats,
        }
    }
}

fn program_use((program, starts): (Box<str>, u64)) -> ledger::ProgramUse {
    ledger::ProgramUse {
        program,
        starts,
        run_seconds: 0,
        package: None,
        desktop_name: None,
    }
}

fn draws(draws: SmallVec<[Draw; 1]>) -> SmallVec<[ledger::Draw; 1]> {
    draws.into_iter().map(Into::into).collect()
}

#[derive(Deserialize)]
struct ProductSpec {
    id: Arc<str>,
    enabled: bool,
    max_ttl_seconds: u32,
    queue_limit: u32,
    shared_by_subject: bool,
    document: Arc<str>,
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
struct Entitlement {
    number: EntitlementNumber,
    product: ProductNumber,
    seats: u32,
    overdraft: u32,
    from: Option<Wall>,
    to: Option<Wall>,
    allotment: AllotmentNumber,
}

impl From<Entitlement> for ledger::Entitlement {
    fn from(entitlement: Entitlement) -> Self {
        ledger::Entitlement {
            number: entitlement.number.into(),
            product: entitlement.product.into(),
            seats: entitlement.seats,
            overdraft: entitlement.overdraft,
            from: entitlement.from.map(Bound::At),
            to: entitlement.to.map(Bound::At),
            allotment: entitlement.allotment.into(),
        }
    }
}

#[derive(Deserialize)]
struct Allotment {
    number: AllotmentNumber,
    product: ProductNumber,
    entitlement: EntitlementNumber,
    seats: u32,
    from: Option<Wall>,
    to: Option<Wall>,
    deadline: Option<ledger::Steady>,
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
struct Lease {
    id: ledger::LeaseId,
    product: ProductNumber,
    subject: ledger::SubjectId,
    computer: ledger::ComputerId,
    seats: u32,
    ttl_seconds: u32,
    deadline: ledger::Steady,
    granted_at: Wall,
    granted: ledger::Steady,
    draws: SmallVec<[Draw; 1]>,
    session: Option<u64>,
    ticket: Option<ledger::TicketId>,
    holders: Box<[SessionKey]>,
    graced: bool,
    program: Option<Arc<str>>,
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
struct SessionKey {
    computer: ledger::ComputerId,
    session: u64,
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
enum TicketState {
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
struct Ticket {
    id: ledger::TicketId,
    product: ProductNumber,
    subject: ledger::SubjectId,
    computer: ledger::ComputerId,
    seats: u32,
    ttl_seconds: u32,
    priority: i8,
    queued_at: Wall,
    state: TicketState,
    program: Option<Arc<str>>,
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
struct Scene {
    seats: u64,
    in_use: u64,
    queued: u32,
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
enum Reason {
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
enum EndCause {
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
struct Denial {
    id: ledger::DecisionId,
    product: ProductNumber,
    subject: ledger::SubjectId,
    computer: ledger::ComputerId,
    seats: u32,
    reason: Reason,
    scene: Scene,
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
struct Unseated {
    product: ProductNumber,
    subject: ledger::SubjectId,
    session: SessionKey,
    ttl_seconds: u32,
    deadline: ledger::Steady,
    reason: Reason,
}

#[derive(Deserialize)]
struct FinishedSession {
    session: SessionKey,
    sender_incarnation: u64,
    product: ProductNumber,
    program: Box<str>,
    version: Option<Box<str>>,
    subject: ledger::SubjectId,
    real_subject: Option<ledger::SubjectId>,
    started_at: Wall,
    ended_at: Wall,
    duration_ms: u64,
    lease: Option<ledger::LeaseId>,
}

#[derive(Deserialize)]
enum Event {
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

#[derive(Deserialize)]
struct TicketView {
    ticket: Ticket,
    position: u32,
    expected_wait_seconds: Option<u64>,
    lease: Option<Lease>,
}

impl From<TicketView> for ledger::TicketView {
    fn from(view: TicketView) -> Self {
        ledger::TicketView {
            ticket: view.ticket.into(),
            position: view.position,
            expected_wait_seconds: view.expected_wait_seconds,
            lease: view.lease.map(Into::into),
            also: Box::default(),
        }
    }
}

#[derive(Deserialize)]
struct EntitlementView {
    entitlement: Entitlement,
    product: Arc<str>,
    in_use: u64,
}

/// A kept answer. The variants that never were kept have no place here.
#[derive(Deserialize)]
enum Reply {
    Granted(Lease),
    Queued(TicketView),
    Denied {
        decision: ledger::DecisionId,
        reason: Reason,
        scene: Scene,
    },
    Held {
        for_seconds: u64,
    },
    TtlTooLong {
        max_ttl_seconds: u32,
    },
    Renewed {
        lease: Lease,
        product: Arc<str>,
        user: Arc<str>,
        computer: Arc<str>,
    },
    Ticket {
        view: Box<TicketView>,
        product: Arc<str>,
        user: Arc<str>,
        computer: Arc<str>,
    },
    Done,
    Entered {
        subject: Option<ledger::SubjectId>,
        computer: Option<ledger::ComputerId>,
    },
    Product(ProductSpec),
    Entitlement(EntitlementView),
    UnknownProduct,
    UnknownEntitlement,
    UnknownLease,
    UnknownTicket,
    ProductExists,
    ProductFixed,
    StaleSender,
    KeyConflict,
}

impl From<Reply> for ledger::Reply {
    fn from(reply: Reply) -> Self {
        use ledger::Reply as To;
        match reply {
            Reply::Granted(lease) => To::Granted {
                lease: lease.into(),
                also: Box::default(),
            },
            Reply::Queued(view) => To::Queued(view.into()),
            Reply::Denied {
                decision,
                reason,
                scene,
            } => To::Denied {
                // It was asked for one product, which whoever asks again names.
                product: Arc::default(),
                seats: 0,
                decision,
                reason: reason.into(),
                scene: scene.into(),
            },
            Reply::Held { for_seconds } => To::Held { for_seconds },
            Reply::TtlTooLong { max_ttl_seconds } => To::TtlTooLong { max_ttl_seconds },
            Reply::Renewed {
                lease,
                product,
                user,
                computer,
            } => To::Renewed {
                lease: lease.into(),
                product,
                user,
                computer,
                also: Box::default(),
            },
            Reply::Ticket {
                view,
                product,
                user,
                computer,
            } => To::Ticket {
                view: Box::new((*view).into()),
                product,
                user,
                computer,
            },
            Reply::Done => To::Done,
            Reply::Entered { subject, computer } => To::Entered { subject, computer },
            Reply::Product(spec) => To::Product(spec.into()),
            Reply::Entitlement(view) => To::Entitlement(ledger::EntitlementView {
                entitlement: view.entitlement.into(),
                product: view.product,
                in_use: view.in_use,
            }),
            Reply::UnknownProduct => To::UnknownProduct,
            Reply::UnknownEntitlement => To::UnknownEntitlement,
            Reply::UnknownLease => To::UnknownLease,
            Reply::UnknownTicket => To::UnknownTicket,
            Reply::ProductExists => To::ProductExists,
            Reply::ProductFixed => To::ProductFixed,
            Reply::StaleSender => To::StaleSender,
            Reply::KeyConflict => To::KeyConflict,
        }
    }
}
