//! What the passing of time changes: leases, tickets and unseated entries that expire, and seats
//! that go to the queue.

use smallvec::SmallVec;

use super::*;
use crate::ledger::words::event::{EndCause, Event};

/// The ttl of a lease if the request names none, in seconds.
pub const DEFAULT_TTL_SECONDS: u32 = 300;
/// The least time that a lease has after a reboot, once, in seconds.
pub const GRACE_SECONDS: u64 = 30;
/// How long a place in the queue is kept after the end of a poll, in seconds.
pub const KEEP_SECONDS: u64 = 30;
/// How long a granted seat is kept for its ticket to fetch, in seconds.
pub const CLAIM_SECONDS: u64 = 15;
/// How long a ticket that has ended can still be polled, in seconds.
pub const FORGET_SECONDS: u64 = 600;
/// The largest number of expiries that one command applies; the next command goes on with the rest.
pub const EXPIRIES_PER_COMMAND: usize = 10_000;

impl Ledger {
    /// When time alone next changes something: send [`Command::Tick`] then.
    pub fn next_due(&self) -> Option<Steady> {
        let leases = self.lease_deadlines.first().map(|(at, _)| *at);
        let tickets = self.ticket_due.first().map(|(at, _)| *at);
        let unseated = self.unseated_deadlines.first().map(|(at, _)| *at);
        let held = self.hold_until.filter(|until| *until > self.now.steady);
        [leases, tickets, unseated, held, self.next_opening()]
            .into_iter()
            .flatten()
            .min()
    }

    /// If requests wait and an entitlement begins or ends on a date, the calendar is looked at
    /// once a second.
    fn next_opening(&self) -> Option<Steady> {
        let dated = |pool: &Pool| pool.has_waiting() && pool.has_dates(self.now);
        self.pools
            .values()
            .any(dated)
            .then(|| self.now.steady.plus_seconds(1))
    }

    /// Ends what is due. Every command begins with this, so none sees a seat in use whose time is
    /// over.
    pub(super) fn expire_due(&mut self) {
        let now = self.now.steady;
        for _ in 0..EXPIRIES_PER_COMMAND {
            if let Some((at, lease)) = self.lease_deadlines.first().copied()
                && at <= now
            {
                self.end_lease(lease, EndCause::Expired);
            } else if let Some((at, ticket)) = self.ticket_due.first().copied()
                && at <= now
            {
                self.ticket_is_due(ticket);
            } else if let Some((at, session)) = self.unseated_deadlines.first().copied()
                && at <= now
            {
                self.emit(Event::UnseatedEnded { session });
            } else {
                return;
            }
        }
    }

    /// Ends a lease, and those that it is held with, and passes their seats on in the same step.
    pub(super) fn end_lease(&mut self, number: EventNumber, cause: EndCause) {
        let mut products: SmallVec<[ProductNumber; 4]> = SmallVec::new();
        for number in self.leases_with(number) {
            let Some(lease) = self.leases.get(number) else {
                continue;
            };
            let ticket = lease.ticket();
            products.push(lease.product);
            self.emit(Event::Ended {
                lease: number,
                cause,
            });
            // A ticket is kept as long as its lease: whoever polls again learns of it.
            if let Some(ticket) = ticket
                && let Some(Ticket {
                    state: TicketState::Granted { .. },
                    ..
                }) = self.tickets.get(&ticket.number)
            {
                let forget_at = self.now.steady.plus_seconds(FORGET_SECONDS);
                let state = TicketState::Expired { forget_at };
                self.emit(Event::TicketChanged {
                    ticket: ticket.number,
                    state,
                });
            }
        }
        self.promote_each(products);
    }

    /// Gives a grace period to leases that ran out, or nearly, while the computer was down. The
    /// shell has advanced the clock by the time that has passed on the wall clock.
    pub(super) fn rebooted(&mut self) -> Reply {
        let now = self.now.steady;
        let mut near: Vec<(EventNumber, Steady)> = self
            .lease_deadlines
            .range(..(now.plus_seconds(GRACE_SECONDS), EventNumber(0)))
            .filter_map(|(_, number)| {
                let lease = self.leases.get(*number)?;
                let grace = GRACE_SECONDS.min(u64::from(lease.ttl_seconds));
                let until = now.plus_seconds(grace);
                (!lease.graced && until > lease.deadline).then_some((*number, until))
            })
            .collect();
        near.sort_unstable();
        for (lease, deadline) in near {
            self.emit(Event::Graced { lease, deadline });
        }
        let waiting: Vec<EventNumber> = self
            .ticket_due
            .range(..(now.plus_seconds(KEEP_SECONDS), EventNumber(0)))
            .map(|(_, number)| *number)
            .collect();
        for number in waiting {
            let Some(ticket) = self.tickets.get(&number) else {
                continue;
            };
            if let TicketState::Waiting { alive_until, aside } = ticket.state {
                let kept = now.plus_seconds(KEEP_SECONDS);
                // Nobody could put things right while the computer was down.
                let aside = aside.map(|aside| Aside {
                    deny_at: aside.deny_at.map(|deny_at| deny_at.max(kept)),
                    ..aside
                });
                let state = TicketState::Waiting {
                    alive_until: alive_until.max(kept),
                    aside,
                };
                self.emit(Event::TicketChanged {
                    ticket: number,
                    state,
                });
            }
        }
        self.expire_due();
        self.promote_all()
    }
}
