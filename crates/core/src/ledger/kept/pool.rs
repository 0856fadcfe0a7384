//! A product's pool: the seats lent to it, those in use, and its queue.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use crate::ledger::kept::lent::{Lent, Most};
use crate::ledger::words::entitlement::Model;
use crate::ledger::words::ids::*;
use crate::ledger::words::records::*;
use crate::ledger::words::ticket::*;

/// A product in the ledger's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Its settings.
    pub spec: ProductSpec,
    /// When it was made, or made again after it had been removed.
    pub created_at: Wall,
    /// Whether it was removed: it grants nothing, and is kept for the leases that are still out.
    pub removed: bool,
}

/// A place in a queue: ordered by priority, then by arrival.
pub(in crate::ledger) type Place = (Reverse<i8>, EventNumber);

/// The place of a ticket in its queue.
pub(in crate::ledger) fn place_of(ticket: &Ticket) -> Place {
    (Reverse(ticket.priority), ticket.id.number)
}

/// A product's pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The product.
    pub listing: Listing,
    /// The allotments of the product.
    pub lent: Vec<Lent>,
    /// Seats in use.
    pub in_use: u64,
    /// Leases that are out.
    pub leases: u64,
    /// Programs that run without a seat.
    pub unseated: u64,
    /// The waiting requests that a free seat can serve.
    pub(in crate::ledger) queue: BTreeSet<Place>,
    /// The waiting requests for more seats than there are, which are passed over.
    pub(in crate::ledger) aside: BTreeSet<Place>,
    /// Leases that are kept for a later start, and that no session has claimed yet.
    pub(in crate::ledger) kept: BTreeSet<EventNumber>,
    pub(in crate::ledger) reviewed: Reviewed,
    pub(in crate::ledger) pace: Pace,
}

impl Pool {
    pub(in crate::ledger) fn new(listing: Listing) -> Pool {
        Pool {
            listing,
            lent: Vec::new(),
            in_use: 0,
            leases: 0,
            unseated: 0,
            queue: BTreeSet::new(),
            aside: BTreeSet::new(),
            kept: BTreeSet::new(),
            reviewed: Reviewed::default(),
            pace: Pace::default(),
        }
    }

    /// Seats that may be in use now, overdraft included.
    pub fn seats(&self, now: Now) -> u64 {
        self.lent
            .iter()
            .filter(|l| l.is_valid(now))
            .map(|l| u64::from(l.allotment.seats))
            .sum()
    }

    /// Seats that may be in use now, or at some later date.
    pub(in crate::ledger) fn seats_to_come(&self, now: Now) -> u64 {
        self.lent
            .iter()
            .filter(|l| l.lifetime_ms(now).is_none_or(|ms| ms > 0))
            .map(|l| u64::from(l.allotment.seats))
            .sum()
    }

    /// Whether the number of seats changes at some date.
    pub(in crate::ledger) fn has_dates(&self, now: Now) -> bool {
        let ahead = |bound: Option<Wall>| bound > Some(now.wall);
        self.lent.iter().any(|l| ahead(l.from) || ahead(l.to))
    }

    /// Whether anybody waits.
    pub(in crate::ledger) fn has_waiting(&self) -> bool {
        !self.queue.is_empty() || !self.aside.is_empty()
    }

    /// The places of all waiting requests, in order, with those that are passed over.
    pub(in crate::ledger) fn places(&self) -> impl Iterator<Item = Place> {
        let mut turn = self.queue.iter().copied().peekable();
        let mut aside = self.aside.iter().copied().peekable();
        std::iter::from_fn(move || match (turn.peek(), aside.peek()) {
            (Some(next), Some(passed_over)) if passed_over < next => aside.next(),
            (Some(_), _) => turn.next(),
            (None, _) => aside.next(),
        })
    }

    /// The number of waiting requests, with those that are passed over.
    pub fn queued(&self) -> u32 {
        u32::try_from(self.queue.len() + self.aside.len()).unwrap_or(u32::MAX)
    }

    /// The counts at this instant.
    pub fn scene(&self, now: Now) -> Scene {
        Scene {
            seats: self.seats(now),
            in_use: self.in_use,
            queued: self.queued(),
        }
    }

    /// Where seats that are not in use yet would come from, as [`Pool::draw`] says. Leases whose
    /// allotment was taken away or is over hold their seats all the same: until they have ended,
    /// nobody gets in whom what is left would not hold beside them.
    pub(in crate::ledger) fn draw_more(
        &self,
        seats: u32,
        ttl_ms: u64,
        now: Now,
        most: impl Fn(&Lent) -> Most,
    ) -> Option<(SmallVec<[Draw; 1]>, u64)> {
        let fits = self.in_use.saturating_add(u64::from(seats)) <= self.seats(now);
        fits.then(|| self.draw(seats, ttl_ms, now, most)).flatten()
    }

    /// The allotments from which `seats` for `ttl_ms` would come, from each at most what `most`
    /// says, and how long the seats may be held. Allotments that last longest come first, so that
    /// no lease is cut short without need.
    pub(in crate::ledger) fn draw(
        &self,
        seats: u32,
        ttl_ms: u64,
        now: Now,
        most: impl Fn(&Lent) -> Most,
    ) -> Option<(SmallVec<[Draw; 1]>, u64)> {
        // How many of an allotment's seats may be drawn, and how long they may be held.
        let may_be_drawn = |lent: &Lent| -> Option<(u32, u64)> {
            if !lent.is_valid(now) || lent.free() == 0 {
                return None;
            }
            let most = most(lent);
            let life_ms = lent.lifetime_ms(now).unwrap_or(u64::MAX).min(most.life_ms);
            let seats = lent.free().min(most.seats);
            (seats > 0 && life_ms > 0).then_some((seats, life_ms))
        };
        if let [only] = self.lent.as_slice() {
            let (most_seats, life_ms) = may_be_drawn(only)?;
            let draw = Draw {
                allotment: only.allotment.number,
                seats,
            };
            return (most_seats >= seats).then(|| (smallvec![draw], life_ms.min(ttl_ms)));
        }
        let mut order: SmallVec<[(Reverse<u64>, AllotmentNumber, u32); 4]> = self
            .lent
            .iter()
            .filter_map(|lent| {
                let (seats, life_ms) = may_be_drawn(lent)?;
                Some((Reverse(life_ms), lent.allotment.number, seats))
            })
            .collect();
        order.sort_unstable();
        let mut missing = seats;
        let mut shortest_ms = ttl_ms;
        let mut draws = SmallVec::new();
        for (Reverse(life_ms), allotment, seats) in order {
            let taken = seats.min(missing);
            draws.push(Draw {
                allotment,
                seats: taken,
            });
            shortest_ms = shortest_ms.min(life_ms);
            missing -= taken;
            if missing == 0 {
                return Some((draws, shortest_ms));
            }
        }
        None
    }

    /// The longest time that a lease with these draws may live; none: no limit.
    pub(in crate::ledger) fn lifetime_ms(&self, draws: &[Draw], now: Now) -> Option<u64> {
        draws
            .iter()
            .filter_map(|draw| self.find(draw.allotment)?.lifetime_ms(now))
            .min()
    }

    fn find(&self, number: AllotmentNumber) -> Option<&Lent> {
        self.lent
            .iter()
            .find(|lent| lent.allotment.number == number)
    }

    pub(in crate::ledger) fn take(&mut self, draws: &[Draw]) {
        for draw in draws {
            self.in_use += u64::from(draw.seats);
            if let Some(lent) = self.find_mut(draw.allotment) {
                lent.in_use += u64::from(draw.seats);
            }
        }
    }

    pub(in crate::ledger) fn give_back(&mut self, draws: &[Draw]) {
        for draw in draws {
            self.in_use = self.in_use.saturating_sub(u64::from(draw.seats));
            if let Some(lent) = self.find_mut(draw.allotment) {
                lent.in_use = lent.in_use.saturating_sub(u64::from(draw.seats));
            }
        }
    }

    fn find_mut(&mut self, number: AllotmentNumber) -> Option<&mut Lent> {
        self.lent
            .iter_mut()
            .find(|lent| lent.allotment.number == number)
    }

    /// Puts an allotment in the place of the one with its number; answers the former.
    pub(in crate::ledger) fn put_allotment(&mut self, allotment: Allotment) -> Option<Allotment> {
        match self.find_mut(allotment.number) {
            Some(lent) => {
                let next = Lent {
                    in_use: lent.in_use,
                    model: lent.model.take(),
                    ..Lent::new(allotment)
                };
                Some(std::mem::replace(lent, next).allotment)
            }
            None => {
                self.lent.push(Lent::new(allotment));
                None
            }
        }
    }

    /// Sets the licence model of an entitlement's seats.
    pub(in crate::ledger) fn set_model(
        &mut self,
        entitlement: EntitlementNumber,
        model: Option<&Model>,
    ) {
        for lent in &mut self.lent {
            if lent.allotment.entitlement == entitlement {
                lent.model = model.cloned();
            }
        }
    }

    pub(in crate::ledger) fn drop_allotment(&mut self, number: AllotmentNumber) {
        self.lent.retain(|lent| lent.allotment.number != number);
    }

    /// Place in the queue of a ticket, from 1; 0 if it is not in it. Those that are passed
    /// over are in nobody's way, so they count for nobody but themselves. Bounded by the queue.
    pub(in crate::ledger) fn position(&self, place: Place) -> u32 {
        let before = || self.queue.range(..place).count();
        match self.queue.contains(&place) || self.aside.contains(&place) {
            true => u32::try_from(before() + 1).unwrap_or(u32::MAX),
            false => 0,
        }
    }

    /// Estimate of a wait: as long as seats were held lately, shared among the seats there are. None
    /// if no seat came back for longer than that: who holds them now holds them longer, and how long
    /// nothing tells.
    pub(in crate::ledger) fn expected_wait_seconds(&self, position: u32, now: Now) -> Option<u64> {
        let hold_ms = self.pace.mean_hold_ms?;
        if now.steady.since_ms(self.pace.last) > hold_ms {
            return None;
        }
        let seats = self.seats(now).max(1);
        Some(hold_ms.saturating_mul(u64::from(position)) / seats / 1_000)
    }
}

/// What there is of a product, in use or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct ThereIs {
    /// Seats that may be in use now.
    pub(in crate::ledger) seats: u64,
    /// Seats that may be in use now, or at some later date.
    pub(in crate::ledger) to_come: u64,
    /// Whether the product grants seats at all.
    pub(in crate::ledger) enabled: bool,
}

/// For what there is the queue was last looked through. A note that spares work, not state: who
/// is passed over says so itself, and none means that a look is due.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Reviewed(pub(in crate::ledger) Option<ThereIs>);

impl PartialEq for Reviewed {
    fn eq(&self, _: &Reviewed) -> bool {
        true
    }
}

impl Eq for Reviewed {}

/// How long seats were held lately: a moving mean. An estimate, not state: it is neither undone
/// nor recovered, and two ledgers that differ in nothing else are equal.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Pace {
    mean_hold_ms: Option<u64>,
    /// When the last seat was given back.
    last: Steady,
}

impl Pace {
    pub(in crate::ledger) fn note(&mut self, hold_ms: u64, now: Steady) {
        self.last = now;
        self.mean_hold_ms = Some(match self.mean_hold_ms {
            Some(mean) => (mean.saturating_mul(7).saturating_add(hold_ms)) / 8,
            None => hold_ms,
        });
    }
}

impl PartialEq for Pace {
    fn eq(&self, _: &Pace) -> bool {
        true
    }
}

impl Eq for Pace {}
