//! Kept answers in their old form.

use std::sync::Arc;

use serde::Deserialize;
use usher_core::ledger;

use super::records::{Entitlement, Lease, ProductSpec, Reason, Scene, Ticket};

#[derive(Deserialize)]
pub(super) struct TicketView {
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
pub(super) struct EntitlementView {
    entitlement: Entitlement,
    product: Arc<str>,
    in_use: u64,
}

/// A kept answer. Variants that were never kept are left out.
#[derive(Deserialize)]
pub(super) enum Reply {
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
                details: ledger::Details::default(),
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
