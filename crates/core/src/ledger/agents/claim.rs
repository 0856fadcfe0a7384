//! Seats for held starts: a program waits at the gate until its session has a seat; and "tell me
//! when it is free".
//!
//! A session that is held is seated or refused, and a refusal is kept like that of any checkout.
//! Nothing else comes of it: the session is not entered, so it holds nothing that would have to be
//! given back. A seat that is kept for the person, whether it was waited for or free at once, is a
//! lease of nobody's session; the session of the next start claims it, so that both are one seat.

use crate::ledger::judge::ask::AskPart;
use crate::ledger::kept::denials::Asker;
use crate::ledger::state::undo::Undo;
use crate::ledger::words::event::Event;
use crate::ledger::*;

/// How a session asks for its seat.
pub(in crate::ledger) struct Wish {
    pub shown: Option<Shown>,
    pub gate: bool,
    pub claim: Option<LeaseId>,
}

impl Ledger {
    /// Refuses a session whose program is held.
    pub(in crate::ledger) fn refuse_session(
        &mut self,
        asked: &AskPart,
        reason: Reason,
    ) -> ItemReply {
        let (decision, scene) = self.record_denial(asked, reason);
        ItemReply::Denied(Box::new(DeniedItem {
            decision,
            reason,
            product: self.product_id(asked.product),
            seats: asked.seats,
            scene,
        }))
    }

    /// The newest refusal, within the last minute, of the sender of this item, if the item's
    /// program is held.
    pub(in crate::ledger) fn refused_lately(
        &self,
        computer: ComputerId,
        item: &ReportItem,
    ) -> Option<ItemReply> {
        let ReportItem::Checkout {
            product: id,
            subject,
            seats,
            gate: true,
            ..
        } = item
        else {
            return None;
        };
        let (product, _) = self.product(id)?;
        let asker = Asker {
            product,
            subject: self.subjects.find(&subject.authority, &subject.key)?.id,
            computer,
        };
        let kept = |reason| {
            let fold = asker.refused_for(reason);
            let folded = self.denials.repeated(&fold, *seats, self.now.steady)?;
            Some((folded.id, reason))
        };
        let (decision, reason) = Reason::ALL
            .iter()
            .copied()
            .filter_map(kept)
            .max_by_key(|(id, _)| id.number)?;
        Some(ItemReply::Denied(Box::new(DeniedItem {
            decision,
            reason,
            product: id.clone(),
            seats: *seats,
            scene: self.scene_for(product, asker.subject),
        })))
    }

    /// The lease of that id, if the session that asks may take it over: of its product, person,
    /// computer and seats, waited for or kept for a start, and of no session yet. Of several that
    /// were asked for at once, it is the first: the others are held with it.
    pub(in crate::ledger) fn claimable(&self, id: LeaseId, asked: &AskPart) -> Option<EventNumber> {
        let lease = self.leases.get(id.number)?;
        let is_kept = lease.ticket().is_some() || lease.is_kept();
        let may_be = lease.id() == id
            && is_kept
            && lease.session().is_none()
            && lease.product == asked.product
            && lease.subject == asked.subject
            && lease.computer == asked.computer
            && lease.seats == asked.seats
            && lease
                .bundle()
                .is_none_or(|bundle| bundle.first == id.number)
            && lease.deadline > self.now.steady;
        may_be.then_some(id.number)
    }

    /// Gives a lease to the session, with the ttl that a lease of its own would have.
    pub(in crate::ledger) fn claim(
        &mut self,
        lease: EventNumber,
        session: SessionKey,
        asked: &AskPart,
    ) {
        if let Some(ticket) = self.leases.get(lease).and_then(|lease| lease.ticket()) {
            self.fetch(ticket.number);
        }
        let held_with = self.leases_with(lease);
        let pools = held_with
            .iter()
            .filter_map(|number| self.pools.get(self.leases.get(*number)?.product));
        let allowed = pools.map(|pool| pool.listing.spec.max_ttl_seconds).min();
        self.emit(Event::Claimed {
            lease,
            session,
            ttl_seconds: allowed.map_or(asked.ttl_seconds, |most| most.min(asked.ttl_seconds)),
            shared: self.is_shared(asked.product),
        });
        self.renew_lease(lease);
    }

    /// Applies [`Event::Claimed`].
    pub(in crate::ledger) fn hand_over(
        &mut self,
        number: EventNumber,
        session: SessionKey,
        ttl_seconds: u32,
        shared: bool,
    ) -> Undo {
        let Some(lease) = self.leases.get_mut(number) else {
            return Undo::Nothing;
        };
        lease.set_session(Some(session));
        if let Some(pool) = self.pools.get_mut(lease.product) {
            pool.kept.remove(&number);
        }
        let before = lease.ttl_seconds;
        let mut shared_before = None;
        if shared {
            lease.set_holders(Box::from([session]));
            shared_before = self.shared.insert((lease.product, lease.subject), number);
        }
        self.set_ttl(number, ttl_seconds);
        self.sessions.insert(session, Seating::Lease(number));
        Undo::Claimed {
            lease: number,
            session,
            ttl_seconds: before,
            shared_before,
        }
    }

    /// Undoes [`Ledger::hand_over`].
    pub(in crate::ledger) fn take_from(
        &mut self,
        number: EventNumber,
        session: SessionKey,
        ttl_seconds: u32,
        shared_before: Option<EventNumber>,
    ) {
        let Some(lease) = self.leases.get_mut(number) else {
            return;
        };
        lease.set_session(None);
        if let Some(pool) = self
            .pools
            .get_mut(lease.product)
            .filter(|_| lease.is_kept())
        {
            pool.kept.insert(number);
        }
        let was_shared = !lease.holders().is_empty();
        lease.set_holders(Box::default());
        let key = (lease.product, lease.subject);
        if was_shared {
            match shared_before {
                Some(before) => self.shared.insert(key, before),
                None => self.shared.remove(&key),
            };
        }
        self.sessions.remove(&session);
        self.set_ttl(number, ttl_seconds);
    }

    /// Sets the ttl of a lease and of those that it is held with: they are renewed together.
    fn set_ttl(&mut self, number: EventNumber, ttl_seconds: u32) {
        for number in self.leases_with(number) {
            if let Some(lease) = self.leases.get_mut(number) {
                lease.ttl_seconds = ttl_seconds;
            }
        }
    }
}
