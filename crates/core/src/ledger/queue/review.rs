//! Requests that wait for more seats than there are: passed over immediately, refused after a
//! while. A request for several products is passed over, too, while one of them is switched off.
//!
//! I4 asks that nobody who can be served waits behind somebody who cannot. What there is changes
//! seldom (an entitlement, a date), so a pool's queue is looked through when it has changed.

use std::collections::BTreeSet;

use crate::ledger::kept::pool::ThereIs;
use crate::ledger::*;

/// How long a request waits for more seats than there are before it is refused, if its product
/// does not say.
pub const DEFAULT_IMPOSSIBLE_SECONDS: u32 = 60;

/// The result of reviewing a queue.
#[derive(Default)]
pub(in crate::ledger) struct Moved {
    /// Whether the seats of the product have changed since the last review.
    pub changed: bool,
    /// Other products in whose queues a request is now passed over, or no longer is.
    pub others: BTreeSet<ProductNumber>,
}

impl Ledger {
    /// Passes over the tickets that ask for more seats than there are now, and puts those back into
    /// the queue, in their old places, for which there are enough again. Does nothing while the
    /// number of seats stays the same.
    pub(in crate::ledger) fn review(&mut self, product: ProductNumber) -> Moved {
        let now = self.now;
        let mut moved = Moved::default();
        let Some(pool) = self.pools.get_mut(product) else {
            return moved;
        };
        if !pool.has_waiting() {
            return moved;
        }
        let there_is = ThereIs {
            seats: pool.seats(now),
            to_come: pool.seats_to_come(now),
            enabled: pool.listing.spec.enabled,
        };
        if pool.reviewed.0 == Some(there_is) {
            return moved;
        }
        pool.reviewed.0 = Some(there_is);
        moved.changed = true;
        let waiting: Vec<EventNumber> = pool.places().map(|(_, number)| number).collect();
        for number in waiting {
            let Some(TicketState::Waiting { alive_until, aside }) =
                self.tickets.get(&number).map(|ticket| ticket.state)
            else {
                continue;
            };
            let together = self.tickets_with(number);
            let next = self.aside(&together, aside);
            if next == aside {
                continue;
            }
            let state = TicketState::Waiting {
                alive_until,
                aside: next,
            };
            self.set_tickets(&together, state);
            let products = together
                .iter()
                .filter_map(|number| Some(self.tickets.get(number)?.product));
            moved
                .others
                .extend(products.filter(|other| *other != product));
        }
        moved
    }

    /// Whether the tickets of one ask are passed over now, and how they were before.
    fn aside(&self, together: &[EventNumber], before: Option<Aside>) -> Option<Aside> {
        let now = self.now;
        let mut aside = None;
        let mut patience_seconds = None;
        for number in together {
            let ticket = self.tickets.get(number)?;
            let pool = self.pools.get(ticket.product)?;
            let asked = u64::from(ticket.seats);
            // Alone it would hold up nobody but the queue of what is switched off.
            let holds_up_others = together.len() > 1 && !pool.listing.spec.enabled;
            if asked > pool.seats(now) || holds_up_others {
                aside = aside.or(before).or(Some(Aside {
                    since: now.steady,
                    deny_at: None,
                }));
            }
            if asked > pool.seats_to_come(now) {
                patience_seconds = patience_seconds.max(Some(pool.listing.spec.impossible_seconds));
            }
        }
        let deny_at = |seconds| now.steady.plus_seconds(u64::from(seconds));
        aside.map(|aside| Aside {
            deny_at: patience_seconds
                .map(|seconds| aside.deny_at.unwrap_or_else(|| deny_at(seconds))),
            ..aside
        })
    }

    /// Before somebody asks for a product: a date may have come that nobody has noticed yet, and
    /// who waits comes first.
    pub(in crate::ledger) fn serve_waiting(&mut self, product: ProductNumber) {
        let moved = self.review(product);
        if moved.changed {
            let products = moved.others.into_iter().chain([product]);
            self.promote_each(products);
        }
    }

    /// The ticket of a request whose seats do not exist, now or later.
    pub(in crate::ledger) fn impossible_of(&self, together: &[EventNumber]) -> Option<EventNumber> {
        let is_impossible = |number: &&EventNumber| {
            let Some(ticket) = self.tickets.get(number) else {
                return false;
            };
            let pool = self.pools.get(ticket.product);
            pool.is_none_or(|pool| u64::from(ticket.seats) > pool.seats_to_come(self.now))
        };
        together.iter().find(is_impossible).copied()
    }
}
