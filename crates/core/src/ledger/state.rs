//! How each event changes the ledger, and how each change is taken back.

use super::denials::{Asker, Folded};
use super::event::{Event, Undo};
use super::memory::Remembered;
use super::pool::Listing;
use super::*;

impl Ledger {
    /// The one place where state changes. Events come from decisions or from records; of records
    /// that contradict the state, what cannot be carried out is passed over.
    pub(super) fn change(&mut self, number: EventNumber, event: &Event) -> Undo {
        match event {
            Event::SubjectEntered(subject) => Undo::Subject {
                id: subject.id,
                before: self.subjects.put(subject.clone()),
            },
            Event::ComputerEntered(computer) => Undo::Computer {
                id: computer.id,
                before: self.computers.put(computer.clone()),
            },
            Event::SubjectForgotten { subject } => match self.subjects.remove(*subject) {
                Some(gone) => Undo::SubjectForgotten(Box::new(gone)),
                None => Undo::Nothing,
            },
            Event::ComputerForgotten { computer } => match self.computers.remove(*computer) {
                Some(gone) => Undo::ComputerForgotten(Box::new(gone)),
                None => Undo::Nothing,
            },
            Event::ProductPut { product, spec } => self.change_product(number, *product, spec),
            Event::ProductRemoved { product } => {
                let Some(pool) = self.pools.get_mut(product) else {
                    return Undo::Nothing;
                };
                let before = pool.listing.clone();
                pool.listing.removed = true;
                Undo::Product {
                    product: *product,
                    before: Some(before),
                    version_before: std::mem::replace(&mut self.catalogue_version, number.0),
                }
            }
            Event::EntitlementPut(entitlement) => Undo::Entitlement {
                number: entitlement.number,
                before: self
                    .entitlements
                    .insert(entitlement.number, entitlement.clone()),
            },
            Event::EntitlementRemoved { entitlement } => Undo::Entitlement {
                number: *entitlement,
                before: self.entitlements.remove(entitlement),
            },
            Event::EntitlementDescribed {
                entitlement,
                details,
            } => Undo::Details {
                number: *entitlement,
                before: self.described.put(*entitlement, details.clone()),
            },
            Event::AllotmentPut(allotment) => {
                let Some(pool) = self.pools.get_mut(&allotment.product) else {
                    return Undo::Nothing;
                };
                Undo::Allotment {
                    product: allotment.product,
                    number: allotment.number,
                    before: pool.put_allotment(allotment.clone()),
                }
            }
            Event::Granted { lease, .. } => self.add_lease(lease),
            Event::Renewed { lease, deadline } => self.set_deadline(*lease, *deadline, false),
            Event::Graced { lease, deadline } => self.set_deadline(*lease, *deadline, true),
            Event::Redrawn { lease, draws } => self.redraw(*lease, draws),
            Event::Ended { lease, .. } => self.remove_lease(*lease),
            Event::Joined { lease, session } => match self.join(*lease, *session) {
                true => Undo::Joined {
                    lease: *lease,
                    session: *session,
                },
                false => Undo::Nothing,
            },
            Event::Left { lease, session } => match self.leave(*lease, *session) {
                true => Undo::Left {
                    lease: *lease,
                    session: *session,
                },
                false => Undo::Nothing,
            },
            Event::Queued { ticket, .. } => {
                self.add_ticket(ticket.clone());
                Undo::Queued { ticket: number }
            }
            Event::TicketChanged { ticket, state } => self.set_ticket(*ticket, *state),
            Event::TicketForgotten { ticket } => match self.remove_ticket(*ticket) {
                Some(ticket) => Undo::Forgotten {
                    ticket: Box::new(ticket),
                },
                None => Undo::Nothing,
            },
            Event::Denied { denial, .. } => {
                let asker = Asker {
                    product: denial.product,
                    subject: denial.subject,
                    computer: denial.computer,
                };
                let folded = Folded::first(denial.id, self.now.steady, denial.seats);
                Undo::Denied {
                    before: self
                        .denials
                        .put(asker, denial.reason, folded, self.now.steady),
                }
            }
            Event::DeniedAgain {
                product,
                subject,
                computer,
                reason,
                count,
                ..
            } => {
                let asker = Asker {
                    product: *product,
                    subject: *subject,
                    computer: *computer,
                };
                let Some(folded) = self.denials.get(&asker.refused_for(*reason)) else {
                    return Undo::Nothing;
                };
                let again = Folded {
                    count: *count,
                    ..folded
                };
                Undo::Denied {
                    before: self.denials.put(asker, *reason, again, self.now.steady),
                }
            }
            Event::Unseated(unseated) => Undo::Unseated {
                session: unseated.session,
                before: self.set_unseated(unseated.session, Some(unseated.clone())),
            },
            Event::UnseatedEnded { session } => Undo::Unseated {
                session: *session,
                before: self.set_unseated(*session, None),
            },
            Event::SessionFinished(_) | Event::ProgramsSeen { .. } => Undo::Nothing,
            Event::Reported {
                computer,
                incarnation,
                sequence,
            } => {
                let mark = Mark {
                    incarnation: *incarnation,
                    sequence: *sequence,
                };
                Undo::Mark {
                    computer: *computer,
                    before: self.marks.insert(*computer, mark),
                }
            }
            Event::Remembered { key, body, reply } => {
                let at = self.now.steady;
                self.memory.put(
                    *key,
                    Remembered {
                        body: *body,
                        reply: reply.clone(),
                        at,
                    },
                );
                Undo::Key { key: *key }
            }
            Event::Reincarnated {
                incarnation,
                hold_until,
            } => {
                let undo = Undo::Incarnation {
                    incarnation: self.incarnation,
                    hold_until: self.hold_until,
                    life_began: std::mem::replace(&mut self.life_began, number.0),
                    adopted: std::mem::take(&mut self.adopted),
                };
                self.incarnation = *incarnation;
                self.hold_until = *hold_until;
                undo
            }
            Event::CanarySeated | Event::Changed { .. } => Undo::Nothing,
            Event::Paused => Undo::Paused {
                before: std::mem::replace(&mut self.paused, true),
            },
            Event::Continued => Undo::Paused {
                before: std::mem::replace(&mut self.paused, false),
            },
            Event::Adopted { former, .. } => match self.adopted.insert(*former) {
                true => Undo::Adopted { former: *former },
                false => Undo::Nothing,
            },
            Event::Rekeyed { lease, from, to } => match self.rekey(*lease, *from, *to) {
                true => Undo::Rekeyed {
                    lease: *lease,
                    from: *from,
                    to: *to,
                },
                false => Undo::Nothing,
            },
            Event::Claimed {
                lease,
                session,
                ttl_seconds,
                shared,
            } => self.hand_over(*lease, *session, *ttl_seconds, *shared),
        }
    }

    pub(super) fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::Paused { before } => self.paused = before,
            Undo::SubjectForgotten(subject) => drop(self.subjects.put(*subject)),
            Undo::ComputerForgotten(computer) => drop(self.computers.put(*computer)),
            Undo::Subject { id, before } => self.subjects.undo(id, before),
            Undo::Computer { id, before } => self.computers.undo(id, before),
            Undo::Product {
                product,
                before,
                version_before,
            } => {
                self.catalogue_version = version_before;
                self.undo_product(product, before);
            }
            Undo::Entitlement { number, before } => {
                match before {
                    Some(before) => self.entitlements.insert(number, before),
                    None => self.entitlements.remove(&number),
                };
            }
            Undo::Details { number, before } => drop(self.described.put(number, before)),
            Undo::Allotment {
                product,
                number,
                before,
            } => {
                let Some(pool) = self.pools.get_mut(&product) else {
                    return;
                };
                match before {
                    Some(before) => drop(pool.put_allotment(before)),
                    None => pool.drop_allotment(number),
                }
            }
            Undo::Granted {
                lease,
                shared_before,
            } => {
                let gone = self.leases.get(&lease).map(|l| (l.product, l.subject));
                self.remove_lease(lease);
                if let (Some(key), Some(before)) = (gone, shared_before) {
                    self.shared.insert(key, before);
                }
            }
            Undo::Lease {
                lease,
                deadline,
                graced,
            } => {
                self.set_deadline(lease, deadline, graced);
                if let Some(held) = self.leases.get_mut(&lease) {
                    held.graced = graced;
                }
            }
            Undo::Draws { lease, draws } => drop(self.redraw(lease, &draws)),
            Undo::Ended { lease, shared } => {
                self.add_lease(&lease);
                if !shared {
                    let key = (lease.product, lease.subject);
                    if self.shared.get(&key) == Some(&lease.id.number) {
                        self.shared.remove(&key);
                    }
                }
            }
            Undo::Rekeyed { lease, from, to } => drop(self.rekey(lease, to, from)),
            Undo::Joined { lease, session } => drop(self.leave(lease, session)),
            Undo::Left { lease, session } => drop(self.join(lease, session)),
            Undo::Queued { ticket } => drop(self.remove_ticket(ticket)),
            Undo::Ticket { ticket, before } => drop(self.set_ticket(ticket, before)),
            Undo::Forgotten { ticket } => self.add_ticket(*ticket),
            Undo::Denied { before } => self.denials.undo(before),
            Undo::Unseated { session, before } => drop(self.set_unseated(session, before)),
            Undo::Mark { computer, before } => {
                match before {
                    Some(before) => self.marks.insert(computer, before),
                    None => self.marks.remove(&computer),
                };
            }
            Undo::Key { key } => self.memory.undo(key),
            Undo::Incarnation {
                incarnation,
                hold_until,
                life_began,
                adopted,
            } => {
                self.incarnation = incarnation;
                self.hold_until = hold_until;
                self.life_began = life_began;
                self.adopted = adopted;
            }
            Undo::Adopted { former } => drop(self.adopted.remove(&former)),
            Undo::Claimed {
                lease,
                session,
                ttl_seconds,
                shared_before,
            } => self.take_from(lease, session, ttl_seconds, shared_before),
        }
    }

    fn change_product(
        &mut self,
        event: EventNumber,
        number: ProductNumber,
        spec: &ProductSpec,
    ) -> Undo {
        let created_at = self.now.wall;
        let version_before = std::mem::replace(&mut self.catalogue_version, event.0);
        if let Some(pool) = self.pools.get_mut(&number) {
            let created_at = if pool.listing.removed {
                created_at
            } else {
                pool.listing.created_at
            };
            let listing = Listing {
                spec: spec.clone(),
                created_at,
                removed: false,
            };
            let before = std::mem::replace(&mut pool.listing, listing);
            return Undo::Product {
                product: number,
                before: Some(before),
                version_before,
            };
        }
        self.product_by_id.insert(spec.id.clone(), number);
        let listing = Listing {
            spec: spec.clone(),
            created_at,
            removed: false,
        };
        self.pools.insert(number, Pool::new(listing));
        Undo::Product {
            product: number,
            before: None,
            version_before,
        }
    }

    fn undo_product(&mut self, number: ProductNumber, before: Option<Listing>) {
        match before {
            Some(before) => {
                if let Some(pool) = self.pools.get_mut(&number) {
                    pool.listing = before;
                }
            }
            None => {
                if let Some(pool) = self.pools.remove(&number) {
                    self.product_by_id.remove(&pool.listing.spec.id);
                }
            }
        }
    }

    pub(super) fn add_lease(&mut self, lease: &Lease) -> Undo {
        let number = lease.id.number;
        let mut shared_before = None;
        if let Some(pool) = self.pools.get_mut(&lease.product) {
            pool.take(&lease.draws);
            pool.leases += 1;
        }
        if !lease.holders.is_empty() {
            shared_before = self.shared.insert((lease.product, lease.subject), number);
        }
        for session in sessions_of(lease) {
            self.sessions.insert(session, Seating::Lease(number));
        }
        self.lease_deadlines.insert((lease.deadline, number));
        self.leases.insert(number, lease.clone());
        Undo::Granted {
            lease: number,
            shared_before,
        }
    }

    fn remove_lease(&mut self, number: EventNumber) -> Undo {
        let Some(lease) = self.leases.remove(&number) else {
            return Undo::Nothing;
        };
        self.lease_deadlines.remove(&(lease.deadline, number));
        if let Some(pool) = self.pools.get_mut(&lease.product) {
            pool.give_back(&lease.draws);
            pool.leases = pool.leases.saturating_sub(1);
            let held_ms = self.now.steady.since_ms(lease.granted);
            pool.pace.note(held_ms, self.now.steady);
        }
        for session in sessions_of(&lease) {
            self.sessions.remove(&session);
        }
        let key = (lease.product, lease.subject);
        let shared = !lease.holders.is_empty() && self.shared.get(&key) == Some(&number);
        if shared {
            self.shared.remove(&key);
        }
        Undo::Ended {
            lease: Box::new(lease),
            shared,
        }
    }

    fn join(&mut self, number: EventNumber, session: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else {
            return false;
        };
        let mut holders = std::mem::take(&mut lease.holders).into_vec();
        let at = holders.partition_point(|other| *other < session);
        holders.insert(at, session);
        lease.holders = holders.into();
        self.sessions.insert(session, Seating::Lease(number));
        true
    }

    fn leave(&mut self, number: EventNumber, session: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else {
            return false;
        };
        let mut holders = std::mem::take(&mut lease.holders).into_vec();
        holders.retain(|other| *other != session);
        lease.holders = holders.into();
        self.sessions.remove(&session);
        true
    }

    /// Another incarnation of its agent has said that a session is the same.
    fn rekey(&mut self, number: EventNumber, from: SessionKey, to: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else {
            return false;
        };
        if lease.session == Some(from) {
            lease.session = Some(to);
        }
        let mut holders = std::mem::take(&mut lease.holders).into_vec();
        if let Some(place) = holders.iter().position(|holder| *holder == from) {
            holders[place] = to;
            holders.sort_unstable();
        }
        lease.holders = holders.into();
        self.sessions.remove(&from);
        self.sessions.insert(to, Seating::Lease(number));
        true
    }

    fn set_deadline(&mut self, number: EventNumber, deadline: Steady, graced: bool) -> Undo {
        let Some(lease) = self.leases.get_mut(&number) else {
            return Undo::Nothing;
        };
        let undo = Undo::Lease {
            lease: number,
            deadline: lease.deadline,
            graced: lease.graced,
        };
        self.lease_deadlines.remove(&(lease.deadline, number));
        self.lease_deadlines.insert((deadline, number));
        lease.deadline = deadline;
        // A renewal proves that the holder lives: the next reboot may give it a grace again.
        lease.graced = graced;
        undo
    }

    fn redraw(&mut self, number: EventNumber, draws: &smallvec::SmallVec<[Draw; 1]>) -> Undo {
        let Some(lease) = self.leases.get_mut(&number) else {
            return Undo::Nothing;
        };
        let before = std::mem::replace(&mut lease.draws, draws.clone());
        if let Some(pool) = self.pools.get_mut(&lease.product) {
            pool.give_back(&before);
            pool.take(draws);
        }
        Undo::Draws {
            lease: number,
            draws: before,
        }
    }

    pub(super) fn add_ticket(&mut self, ticket: Ticket) {
        let number = ticket.id.number;
        if let TicketState::Waiting { aside, .. } = ticket.state
            && let Some(pool) = self.pools.get_mut(&ticket.product)
        {
            let places = match aside {
                None => &mut pool.queue,
                Some(_) => &mut pool.aside,
            };
            places.insert(place_of(&ticket));
        }
        if let Some(due) = ticket.state.due() {
            self.ticket_due.insert((due, number));
        }
        self.tickets.insert(number, ticket);
    }

    fn remove_ticket(&mut self, number: EventNumber) -> Option<Ticket> {
        let ticket = self.tickets.remove(&number)?;
        if let Some(pool) = self.pools.get_mut(&ticket.product) {
            let place = place_of(&ticket);
            pool.queue.remove(&place);
            pool.aside.remove(&place);
        }
        if let Some(due) = ticket.state.due() {
            self.ticket_due.remove(&(due, number));
        }
        Some(ticket)
    }

    fn set_ticket(&mut self, number: EventNumber, state: TicketState) -> Undo {
        let Some(mut ticket) = self.remove_ticket(number) else {
            return Undo::Nothing;
        };
        let before = std::mem::replace(&mut ticket.state, state);
        self.add_ticket(ticket);
        Undo::Ticket {
            ticket: number,
            before,
        }
    }

    pub(super) fn set_unseated(
        &mut self,
        session: SessionKey,
        entry: Option<Unseated>,
    ) -> Option<Unseated> {
        let before = match self.sessions.get(&session) {
            Some(Seating::Unseated(before)) => Some(before.clone()),
            _ => None,
        };
        if let Some(before) = &before {
            self.unseated_deadlines.remove(&(before.deadline, session));
            self.sessions.remove(&session);
            if let Some(pool) = self.pools.get_mut(&before.product) {
                pool.unseated = pool.unseated.saturating_sub(1);
            }
        }
        if let Some(entry) = entry {
            self.unseated_deadlines.insert((entry.deadline, session));
            if let Some(pool) = self.pools.get_mut(&entry.product) {
                pool.unseated += 1;
            }
            self.sessions.insert(session, Seating::Unseated(entry));
        }
        before
    }
}

/// The sessions that a lease seats.
fn sessions_of(lease: &Lease) -> impl Iterator<Item = SessionKey> {
    let own = lease.session.filter(|_| lease.holders.is_empty());
    lease.holders.iter().copied().chain(own)
}

pub(super) fn place_of(ticket: &Ticket) -> super::pool::Place {
    (std::cmp::Reverse(ticket.priority), ticket.id.number)
}
