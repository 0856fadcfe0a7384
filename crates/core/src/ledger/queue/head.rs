//! The queue's head: passes a free seat to the first waiting request.

use smallvec::SmallVec;

use crate::ledger::judge::ask::{AskPart, Parts, Plans, Way};
use crate::ledger::time::{CLAIM_SECONDS, FORGET_SECONDS};
use crate::ledger::words::event::Event;
use crate::ledger::*;

/// Products whose queues are to be looked at, each once: most often one, in no memory of its own.
#[derive(Default)]
struct Due(SmallVec<[ProductNumber; 4]>);

impl Due {
    fn extend(&mut self, products: impl IntoIterator<Item = ProductNumber>) {
        for product in products {
            // The smallest comes last, to be taken first.
            let place = self.0.binary_search_by(|other| product.cmp(other));
            if let Err(place) = place {
                self.0.insert(place, product);
            }
        }
    }

    fn next(&mut self) -> Option<ProductNumber> {
        self.0.pop()
    }
}

impl Ledger {
    /// Serves the waiting requests of a product, in order, as long as the seats of the first one
    /// are free. Requests for more seats than there are, are passed over.
    pub(in crate::ledger) fn promote(&mut self, product: ProductNumber) {
        self.promote_each([product]);
    }

    /// Serves the waiting requests of these products, and of those whose queues advance with
    /// theirs.
    pub(in crate::ledger) fn promote_each(
        &mut self,
        products: impl IntoIterator<Item = ProductNumber>,
    ) {
        let mut due = Due::default();
        due.extend(products);
        while let Some(product) = due.next() {
            let moved = self.review(product);
            due.extend(moved.others);
            if !self.is_held() {
                self.serve(product, &mut due);
            }
        }
    }

    fn serve(&mut self, product: ProductNumber, due: &mut Due) {
        while let Some(pool) = self.pools.get(product) {
            let Some((_, first)) = pool.queue.first().copied() else {
                return;
            };
            let Some(ticket) = self.tickets.get(&first) else {
                return;
            };
            let lost = match ticket.state {
                TicketState::Waiting { alive_until, .. } => alive_until <= self.now.steady,
                _ => false,
            };
            let together = self.tickets_with(first);
            if lost {
                // Its time is over, though its turn to be expired has not come yet.
                let forget_at = self.now.steady.plus_seconds(FORGET_SECONDS);
                self.set_tickets(&together, TicketState::Expired { forget_at });
            } else {
                let Some(parts) = self.parts_of(&together) else {
                    return;
                };
                let Ok(plans) = self.judge(&parts, self.now) else {
                    return;
                };
                self.pass_on(&together, &parts, plans);
            }
            let others = together.iter().filter(|number| **number != first);
            due.extend(others.filter_map(|number| Some(self.tickets.get(number)?.product)));
        }
    }

    /// What the tickets of one ask wait for, part by part; none if one is gone.
    fn parts_of(&self, together: &[EventNumber]) -> Option<Parts> {
        let part = |number: &EventNumber| {
            let ticket = self.tickets.get(number)?;
            Some(self.asked_by(ticket, together))
        };
        together.iter().map(part).collect()
    }

    /// What a ticket waits for, as one of the tickets of an ask.
    pub(in crate::ledger) fn asked_by(&self, ticket: &Ticket, together: &[EventNumber]) -> AskPart {
        let others = together
            .iter()
            .filter(|number| **number != ticket.id.number)
            .filter_map(|number| self.tickets.get(number));
        AskPart {
            product: ticket.product,
            subject: ticket.subject,
            computer: ticket.computer,
            session: None,
            seats: ticket.seats,
            ttl_seconds: ticket.ttl_seconds,
            waits: true,
            priority: ticket.priority,
            program: ticket.program.clone(),
            also: others
                .map(|other| Other {
                    product: other.product,
                    seats: other.seats,
                })
                .collect(),
            way: Way::Waiting(ticket.id),
        }
    }

    /// Grants the seats that the tickets of one ask have waited for.
    fn pass_on(&mut self, together: &[EventNumber], parts: &[AskPart], plans: Plans) {
        let claim_until = Some(self.now.steady.plus_seconds(CLAIM_SECONDS));
        let leases = self.grant(parts, plans);
        for (ticket, lease) in together.iter().zip(leases) {
            let state = TicketState::Granted {
                lease: lease.id,
                claim_until,
            };
            self.emit(Event::TicketChanged {
                ticket: *ticket,
                state,
            });
        }
    }

    pub(in crate::ledger) fn promote_all(&mut self) -> Reply {
        let waiting: Vec<ProductNumber> = self
            .pools
            .iter()
            .filter(|(_, pool)| pool.has_waiting())
            .map(|(number, _)| number)
            .collect();
        self.promote_each(waiting);
        Reply::Done
    }
}
