//! Tickets: a place in the queue, the polls for it, and its end.

use smallvec::SmallVec;

use crate::ledger::judge::ask::{AskPart, Lacking};
use crate::ledger::kept::held::Held;
use crate::ledger::time::{FORGET_SECONDS, KEEP_SECONDS};
use crate::ledger::words::event::{EndCause, Event};
use crate::ledger::*;

impl Ledger {
    /// Whether an ask may wait; if not, which part may not, and why.
    pub(in crate::ledger) fn may_wait(&self, parts: &[AskPart]) -> Result<(), Lacking> {
        for (place, part) in parts.iter().enumerate() {
            let refused = |reason| Lacking {
                part: place,
                reason,
            };
            let Some(pool) = self.pools.get(part.product) else {
                return Err(refused(Reason::NoEntitlement));
            };
            let scene = pool.scene(self.now);
            // More than there are at all would wait for ever, and stop all behind it.
            if u64::from(part.seats) > scene.seats {
                return Err(refused(Reason::NoSeat));
            }
            if scene.queued >= pool.listing.spec.queue_limit {
                return Err(refused(Reason::QueueFull));
            }
        }
        Ok(())
    }

    /// Gives an ask its places: one in the queue of each product.
    pub(in crate::ledger) fn queue(&mut self, parts: &[AskPart]) -> Reply {
        if let Err(lacking) = self.may_wait(parts) {
            return self.deny(parts, lacking);
        }
        let bundle = self.next_bundle(parts.len());
        let alive_until = self.now.steady.plus_seconds(KEEP_SECONDS);
        let first = self.next_ticket_id();
        for part in parts {
            let scene = self
                .pools
                .get(part.product)
                .map(|pool| pool.scene(self.now))
                .unwrap_or_default();
            let ticket = Ticket {
                id: self.next_ticket_id(),
                product: part.product,
                subject: part.subject,
                computer: part.computer,
                seats: part.seats,
                ttl_seconds: part.ttl_seconds,
                priority: part.priority,
                queued_at: self.now.wall,
                state: TicketState::Waiting {
                    alive_until,
                    aside: None,
                },
                program: part.program.clone(),
                bundle,
            };
            let ask = self.ask(part);
            self.emit(Event::Queued { ticket, scene, ask });
        }
        match self.tickets.get(&first.number) {
            Some(ticket) => Reply::Queued(self.view(ticket)),
            None => Reply::UnknownTicket,
        }
    }

    /// Puts all tickets of one ask into a state.
    pub(in crate::ledger) fn set_tickets(&mut self, together: &[EventNumber], state: TicketState) {
        for ticket in together {
            self.emit(Event::TicketChanged {
                ticket: *ticket,
                state,
            });
        }
    }

    pub(in crate::ledger) fn products_of(
        &self,
        tickets: &[EventNumber],
    ) -> SmallVec<[ProductNumber; 4]> {
        let product = |number| Some(self.tickets.get(number)?.product);
        tickets.iter().filter_map(product).collect()
    }

    pub(in crate::ledger) fn poll(
        &mut self,
        id: TicketId,
        access: &Access,
        keep_seconds: u32,
    ) -> Reply {
        if !self.may_touch_ticket(id, access) {
            return Reply::UnknownTicket;
        }
        let now = self.now.steady;
        match self.tickets.get(&id.number).map(|ticket| ticket.state) {
            Some(TicketState::Waiting { alive_until, aside }) => {
                let keep = now.plus_seconds(u64::from(keep_seconds));
                if keep > alive_until {
                    let state = TicketState::Waiting {
                        alive_until: keep,
                        aside,
                    };
                    self.set_tickets(&self.tickets_with(id.number), state);
                }
            }
            Some(TicketState::Granted { .. }) => self.fetch(id.number),
            _ => {}
        }
        match self.tickets.get(&id.number) {
            Some(ticket) => self.ticket_reply(self.view(ticket)),
            None => Reply::UnknownTicket,
        }
    }

    pub(in crate::ledger) fn cancel(&mut self, id: TicketId, access: &Access) -> Reply {
        if !self.may_touch_ticket(id, access) {
            return Reply::UnknownTicket;
        }
        let Some(ticket) = self.tickets.get(&id.number) else {
            return Reply::UnknownTicket;
        };
        let former = ticket.state;
        let together = self.tickets_with(id.number);
        let forget_at = self.now.steady.plus_seconds(FORGET_SECONDS);
        let state = TicketState::Cancelled { forget_at };
        match former {
            TicketState::Waiting { .. } => {
                self.set_tickets(&together, state);
                self.promote_each(self.products_of(&together));
            }
            TicketState::Granted { lease, claim_until } => {
                let cause = match claim_until {
                    Some(_) => EndCause::Unclaimed,
                    None => EndCause::CheckedIn,
                };
                self.set_tickets(&together, state);
                // A session that has taken the lease over needs it still.
                let in_use = |number: &EventNumber| {
                    let lease = self.leases.get(*number);
                    lease.is_some_and(|lease| lease.session().is_some())
                };
                if !self.leases_with(lease.number).iter().any(in_use) {
                    self.end_lease(lease.number, cause);
                }
            }
            TicketState::Expired { .. }
            | TicketState::Cancelled { .. }
            | TicketState::Denied { .. } => {}
        }
        Reply::Done
    }

    pub(in crate::ledger) fn ticket_reply(&self, view: TicketView) -> Reply {
        Reply::Ticket {
            product: self.product_id(view.ticket.product),
            user: self.user_name(view.ticket.subject),
            computer: self.computer_name(view.ticket.computer),
            view: Box::new(view),
        }
    }

    /// A ticket with its place. A ticket that waits with others has the place of the one that is
    /// furthest back.
    pub fn view(&self, ticket: &Ticket) -> TicketView {
        let passed_over = matches!(ticket.state, TicketState::Waiting { aside: Some(_), .. });
        let mut position = 0;
        let mut expected_wait_seconds: Option<u64> = None;
        let mut is_known = true;
        for number in self.tickets_with(ticket.id.number) {
            let own = self.tickets.get(&number);
            let (place, paced) = own.map_or((0, None), |own| self.place(own));
            let wait_seconds = own.map_or(paced, |own| paced.max(self.kept_seconds(own.product)));
            position = position.max(place);
            // Where one of them is not known, all are not.
            is_known &= wait_seconds.is_some();
            expected_wait_seconds = expected_wait_seconds.max(wait_seconds);
        }
        if passed_over || !is_known {
            expected_wait_seconds = None;
        }
        let lease = match ticket.state {
            TicketState::Granted { lease, .. } => self.leases.get(lease.number).map(Held::lease),
            _ => None,
        };
        TicketView {
            ticket: ticket.clone(),
            position,
            expected_wait_seconds,
            lease,
            also: self.waits_with(ticket),
        }
    }

    /// The place of a ticket in the queue of its own product, from 1, and 0 if it has none; and
    /// how many seconds it is expected to wait there, if that is known.
    pub fn place(&self, ticket: &Ticket) -> (u32, Option<u64>) {
        let Some(pool) = self.pools.get(ticket.product) else {
            return (0, None);
        };
        let place = pool.position(crate::ledger::kept::pool::place_of(ticket));
        let known = (place > 0).then(|| pool.expected_wait_seconds(place, self.now));
        (place, known.flatten())
    }

    /// For how long at the least no seat of a product comes free, unless it is given back: every one
    /// in use is kept for a start to come, for as long as its lease was granted. None: one of them is
    /// used, or is free.
    pub fn kept_seconds(&self, product: ProductNumber) -> Option<u64> {
        let pool = self.pools.get(product)?;
        let is_all_kept = pool.leases > 0 && pool.leases == pool.kept.len() as u64;
        if !is_all_kept || pool.in_use < pool.seats(self.now) {
            return None;
        }
        let left_seconds = |number: &EventNumber| {
            let lease = self.leases.get(*number)?;
            let until = lease.granted.plus_seconds(lease.ttl_seconds.into());
            Some(until.since_ms(self.now.steady) / 1_000)
        };
        pool.kept.iter().filter_map(left_seconds).min()
    }

    /// Fetches the seats that a ticket was granted, once: they are held from now on, and their
    /// time counts from when their holder learns of it.
    pub(in crate::ledger) fn fetch(&mut self, ticket: EventNumber) {
        let mut fetched = None;
        for number in self.tickets_with(ticket) {
            let Some(TicketState::Granted {
                lease,
                claim_until: Some(_),
            }) = self.tickets.get(&number).map(|ticket| ticket.state)
            else {
                continue;
            };
            let state = TicketState::Granted {
                lease,
                claim_until: None,
            };
            self.emit(Event::TicketChanged {
                ticket: number,
                state,
            });
            fetched = Some(lease.number);
        }
        if let Some(lease) = fetched {
            self.renew_lease(lease);
        }
    }

    /// Applies what time alone changes about a ticket.
    pub(in crate::ledger) fn ticket_is_due(&mut self, number: EventNumber) {
        let Some(state) = self.tickets.get(&number).map(|ticket| ticket.state) else {
            return;
        };
        let together = self.tickets_with(number);
        let expired = TicketState::Expired {
            forget_at: self.now.steady.plus_seconds(FORGET_SECONDS),
        };
        match state {
            TicketState::Waiting { alive_until, .. } if alive_until > self.now.steady => {
                self.deny_tickets(&together, Reason::Impossible);
            }
            TicketState::Waiting { .. } => {
                self.set_tickets(&together, expired);
                self.promote_each(self.products_of(&together));
            }
            TicketState::Granted {
                lease,
                claim_until: Some(_),
            } => {
                self.set_tickets(&together, expired);
                self.end_lease(lease.number, EndCause::Unclaimed);
            }
            TicketState::Granted {
                claim_until: None, ..
            } => {}
            TicketState::Expired { .. }
            | TicketState::Cancelled { .. }
            | TicketState::Denied { .. } => {
                for ticket in together {
                    self.emit(Event::TicketForgotten { ticket });
                }
            }
        }
    }

    /// Refuses a waiting request; the refusal names the product of which there are too few seats.
    fn deny_tickets(&mut self, together: &[EventNumber], reason: Reason) {
        let short = self.impossible_of(together).or(together.first().copied());
        let Some(ticket) = short.and_then(|number| self.tickets.get(&number)) else {
            return;
        };
        let asked = self.asked_by(ticket, together);
        let (decision, _) = self.record_denial(&asked, reason);
        let state = TicketState::Denied {
            decision,
            reason,
            forget_at: self.now.steady.plus_seconds(FORGET_SECONDS),
        };
        self.set_tickets(together, state);
    }

    fn may_touch_ticket(&self, id: TicketId, access: &Access) -> bool {
        self.tickets
            .get(&id.number)
            .is_some_and(|t| t.id == id && self.may_touch(t.subject, t.computer, access))
    }
}
