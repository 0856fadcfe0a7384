//! Seats that pass on to those who wait.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::event::Event;
use super::time::{CLAIM_SECONDS, FORGET_SECONDS};
use super::*;

/// From where the seats of a ticket would come, for how long, and the counts before.
type Turn = (EventNumber, SmallVec<[Draw; 1]>, u64, Scene);

impl Ledger {
    /// Serves whoever waits for a product, in order, while the first one's seats are free. Who
    /// asks for more than there is at all is passed over.
    pub(super) fn promote(&mut self, product: ProductNumber) {
        self.promote_each([product]);
    }

    /// Serves whoever waits for these products, and for those whose queues move on with theirs.
    pub(super) fn promote_each(&mut self, products: impl IntoIterator<Item = ProductNumber>) {
        let mut due: BTreeSet<ProductNumber> = products.into_iter().collect();
        while let Some(product) = due.pop_first() {
            let moved = self.review(product);
            due.extend(moved.others);
            if !self.is_held() {
                self.serve(product, &mut due);
            }
        }
    }

    fn serve(&mut self, product: ProductNumber, due: &mut BTreeSet<ProductNumber>) {
        while let Some(pool) = self.pools.get(&product) {
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
                let turns = together.iter().map(|number| self.turn(*number));
                let Some(turns) = turns.collect::<Option<SmallVec<[Turn; 1]>>>() else {
                    return;
                };
                self.grant_tickets(turns);
            }
            let others = together.iter().filter(|number| **number != first);
            due.extend(others.filter_map(|number| Some(self.tickets.get(number)?.product)));
        }
    }

    /// How a ticket would be served, if it is first in its queue and its seats are free.
    fn turn(&self, number: EventNumber) -> Option<Turn> {
        let ticket = self.tickets.get(&number)?;
        let pool = self.pools.get(&ticket.product)?;
        let is_first = pool
            .queue
            .first()
            .is_some_and(|(_, first)| *first == number);
        if !is_first || pool.listing.removed || pool.closed(self.now).is_some() {
            return None;
        }
        let ttl_ms = u64::from(ticket.ttl_seconds) * 1_000;
        let (draws, life_ms) = pool.draw_more(ticket.seats, ttl_ms, self.now)?;
        Some((number, draws, life_ms, pool.scene(self.now)))
    }

    /// Grants what tickets of one ask have waited for.
    fn grant_tickets(&mut self, turns: SmallVec<[Turn; 1]>) {
        let now = self.now;
        let bundle = self.next_bundle(turns.len());
        let life_ms = turns.iter().map(|(_, _, ms, _)| *ms).min().unwrap_or(0);
        let mut granted: SmallVec<[(EventNumber, LeaseId); 1]> = SmallVec::new();
        for (number, draws, _, scene) in turns {
            let Some(ticket) = self.tickets.get(&number) else {
                continue;
            };
            let id = self.next_lease_id();
            let lease = Lease {
                id,
                product: ticket.product,
                subject: ticket.subject,
                computer: ticket.computer,
                seats: ticket.seats,
                ttl_seconds: ticket.ttl_seconds,
                deadline: Steady(now.steady.0 + life_ms),
                granted_at: now.wall,
                granted: now.steady,
                draws,
                session: None,
                ticket: Some(ticket.id),
                holders: Box::default(),
                graced: false,
                program: ticket.program.clone(),
                bundle,
            };
            self.emit(Event::Granted {
                lease,
                scene,
                ask: None,
            });
            granted.push((number, id));
        }
        let claim_until = Some(now.steady.plus_seconds(CLAIM_SECONDS));
        for (ticket, lease) in granted {
            let state = TicketState::Granted { lease, claim_until };
            self.emit(Event::TicketChanged { ticket, state });
        }
    }

    pub(super) fn promote_all(&mut self) -> Reply {
        let waiting: Vec<ProductNumber> = self
            .pools
            .iter()
            .filter(|(_, pool)| pool.has_waiting())
            .map(|(number, _)| *number)
            .collect();
        self.promote_each(waiting);
        Reply::Done
    }
}
