//! Who waits for more seats than there are: passed over at once, refused after a while.
//!
//! I4 asks that nobody who can be served waits behind somebody who cannot. What there is changes
//! seldom (an entitlement, a date), so a pool's queue is looked through when it has changed.

use super::event::Event;
use super::*;

/// How long a request waits for more seats than there are before it is refused, where its product
/// does not say.
pub const DEFAULT_IMPOSSIBLE_SECONDS: u32 = 60;

impl Ledger {
    /// Passes over who asks for more than there is now, and takes back into the queue, in their
    /// old places, for whom there is enough again. Does nothing while what there is stays the
    /// same; says whether it has changed.
    pub(super) fn review(&mut self, product: ProductNumber) -> bool {
        let now = self.now;
        let Some(pool) = self.pools.get_mut(&product) else {
            return false;
        };
        if !pool.has_waiting() {
            return false;
        }
        let (seats, to_come) = (pool.seats(now), pool.seats_to_come(now));
        if pool.reviewed.0 == Some((seats, to_come)) {
            return false;
        }
        pool.reviewed.0 = Some((seats, to_come));
        let patience_seconds = u64::from(pool.listing.spec.impossible_seconds);
        let waiting: Vec<EventNumber> = pool.places().map(|(_, number)| number).collect();
        for number in waiting {
            let Some(ticket) = self.tickets.get(&number) else {
                continue;
            };
            let TicketState::Waiting { alive_until, aside } = ticket.state else {
                continue;
            };
            let asked = u64::from(ticket.seats);
            let next = (asked > seats).then(|| {
                let before = aside.unwrap_or(Aside {
                    since: now.steady,
                    deny_at: None,
                });
                let deny_at = || now.steady.plus_seconds(patience_seconds);
                Aside {
                    deny_at: (asked > to_come).then(|| before.deny_at.unwrap_or_else(deny_at)),
                    ..before
                }
            });
            if next != aside {
                let state = TicketState::Waiting {
                    alive_until,
                    aside: next,
                };
                self.emit(Event::TicketChanged {
                    ticket: number,
                    state,
                });
            }
        }
        true
    }

    /// Before somebody asks for a product: a date may have come that nobody has noticed yet, and
    /// who waits comes first.
    pub(super) fn serve_waiting(&mut self, product: ProductNumber) {
        if self.review(product) {
            self.promote(product);
        }
    }

    /// Refuses a request that waits.
    pub(super) fn deny_ticket(&mut self, number: EventNumber, reason: Reason) {
        let Some(ticket) = self.tickets.get(&number) else {
            return;
        };
        let asked = super::decide::Asked {
            product: ticket.product,
            subject: ticket.subject,
            computer: ticket.computer,
            session: None,
            seats: ticket.seats,
            ttl_seconds: ticket.ttl_seconds,
            waits: true,
            priority: ticket.priority,
            program: ticket.program.clone(),
        };
        let (decision, _) = self.record_denial(&asked, reason);
        let state = TicketState::Denied {
            decision,
            reason,
            forget_at: self.now.steady.plus_seconds(super::time::FORGET_SECONDS),
        };
        self.emit(Event::TicketChanged {
            ticket: number,
            state,
        });
    }
}
