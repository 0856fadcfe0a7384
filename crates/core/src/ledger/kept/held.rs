//! A lease in memory: 128 bytes for what every lease has, and a box for what few have.
//!
//! The ledger's records ([`Lease`]) are what is written and answered; there are a few of them at a
//! time. There may be millions of these.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::ledger::words::ids::*;
use crate::ledger::words::records::{Bundle, Draw, KEPT, Lease, SessionKey};

/// A lease that is held.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Held {
    number: EventNumber,
    pub(in crate::ledger) product: ProductNumber,
    pub(in crate::ledger) subject: SubjectId,
    pub(in crate::ledger) computer: ComputerId,
    pub(in crate::ledger) deadline: Steady,
    granted_at: Wall,
    pub(in crate::ledger) granted: Steady,
    /// The allotment that its seats come from, unless [`More::draws`] names several.
    draw: Draw,
    pub(in crate::ledger) program: Option<Arc<str>>,
    /// The number and incarnation of its session, which runs on its computer.
    session: (u64, u64),
    more: Option<Box<More>>,
    incarnation: Incarnation,
    pub(in crate::ledger) seats: u32,
    pub(in crate::ledger) ttl_seconds: u32,
    has_session: bool,
    pub(in crate::ledger) graced: bool,
    /// Whether it has ended in the batch that is being built, which may be taken back.
    pub(in crate::ledger) has_ended: bool,
}

/// What few leases have.
#[derive(Debug, Clone, Default)]
struct More {
    /// Where its seats come from, if that is not one allotment.
    draws: Option<SmallVec<[Draw; 1]>>,
    ticket: Option<TicketId>,
    holders: Box<[SessionKey]>,
    bundle: Option<Bundle>,
    /// Its session, if that is not one of its own computer.
    session: Option<SessionKey>,
}

impl Held {
    pub(in crate::ledger) fn new(lease: &Lease) -> Held {
        let mut held = Held {
            number: lease.id.number,
            product: lease.product,
            subject: lease.subject,
            computer: lease.computer,
            deadline: lease.deadline,
            granted_at: lease.granted_at,
            granted: lease.granted,
            draw: NO_DRAW,
            program: lease.program.clone(),
            session: (0, 0),
            more: None,
            incarnation: lease.id.incarnation,
            seats: lease.seats,
            ttl_seconds: lease.ttl_seconds,
            has_session: false,
            graced: lease.graced,
            has_ended: false,
        };
        held.set_draws(&lease.draws);
        held.set_session(lease.session);
        if lease.ticket.is_some() || lease.bundle.is_some() || !lease.holders.is_empty() {
            let more = held.more_mut();
            more.ticket = lease.ticket;
            more.bundle = lease.bundle;
            more.holders = lease.holders.clone();
        }
        held
    }

    /// The record of it.
    pub(in crate::ledger) fn lease(&self) -> Lease {
        Lease {
            id: self.id(),
            product: self.product,
            subject: self.subject,
            computer: self.computer,
            seats: self.seats,
            ttl_seconds: self.ttl_seconds,
            deadline: self.deadline,
            granted_at: self.granted_at,
            granted: self.granted,
            draws: SmallVec::from_slice(self.draws()),
            session: self.session(),
            ticket: self.ticket(),
            holders: self.holders().into(),
            graced: self.graced,
            program: self.program.clone(),
            bundle: self.bundle(),
        }
    }

    pub(in crate::ledger) fn id(&self) -> LeaseId {
        LeaseId {
            incarnation: self.incarnation,
            number: self.number,
        }
    }

    pub(in crate::ledger) fn number(&self) -> EventNumber {
        self.number
    }

    /// Whether it is kept for a start to come: nobody uses it yet, as far as sessions tell.
    pub(in crate::ledger) fn is_kept(&self) -> bool {
        self.program.as_deref() == Some(KEPT) && self.session().is_none()
    }

    pub(in crate::ledger) fn draws(&self) -> &[Draw] {
        let several = self.more.as_ref().and_then(|more| more.draws.as_deref());
        several.unwrap_or(std::slice::from_ref(&self.draw))
    }

    pub(in crate::ledger) fn set_draws(&mut self, draws: &[Draw]) {
        let several = match draws {
            [only] => {
                self.draw = *only;
                None
            }
            several => Some(SmallVec::from_slice(several)),
        };
        if several.is_some() || self.more.is_some() {
            self.more_mut().draws = several;
        }
    }

    pub(in crate::ledger) fn session(&self) -> Option<SessionKey> {
        let elsewhere = self.more.as_ref().and_then(|more| more.session);
        let own = self.has_session.then_some(SessionKey {
            computer: self.computer,
            session: self.session.0,
            incarnation: self.session.1,
        });
        elsewhere.or(own)
    }

    pub(in crate::ledger) fn set_session(&mut self, session: Option<SessionKey>) {
        let (own, elsewhere) = match session {
            Some(session) if session.computer != self.computer => (None, Some(session)),
            own => (own, None),
        };
        self.has_session = own.is_some();
        self.session = own.map_or((0, 0), |own| (own.session, own.incarnation));
        if elsewhere.is_some() || self.more.is_some() {
            self.more_mut().session = elsewhere;
        }
    }

    pub(in crate::ledger) fn ticket(&self) -> Option<TicketId> {
        self.more.as_ref()?.ticket
    }

    pub(in crate::ledger) fn bundle(&self) -> Option<Bundle> {
        self.more.as_ref()?.bundle
    }

    /// The sessions that share it; none if nobody may.
    pub(in crate::ledger) fn holders(&self) -> &[SessionKey] {
        self.more.as_ref().map_or(&[], |more| &more.holders)
    }

    pub(in crate::ledger) fn set_holders(&mut self, holders: Box<[SessionKey]>) {
        self.more_mut().holders = holders;
    }

    /// The sessions that it seats.
    pub(in crate::ledger) fn sessions(&self) -> impl Iterator<Item = SessionKey> {
        let own = self.session().filter(|_| self.holders().is_empty());
        self.holders().iter().copied().chain(own)
    }

    fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

impl PartialEq for Held {
    /// Whether they are the same lease in the same state, wherever what they have lies.
    fn eq(&self, other: &Held) -> bool {
        self.lease() == other.lease()
    }
}

const NO_DRAW: Draw = Draw {
    allotment: AllotmentNumber(0),
    seats: 0,
};

#[cfg(test)]
mod tests;
