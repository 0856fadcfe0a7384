//! The rules by which seats were granted before there was one judgement: those of a checkout, of the
//! queue's head and of a lease that is shown after a restore, as each was written.

use std::cmp::Reverse;

use super::ask::AskPart;
use crate::ledger::*;

/// Seats of allotments, and for how long.
pub(super) type Drawn = (Vec<Draw>, u64);

/// The ways to a seat.
pub(super) struct Before<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) now: Now,
}

impl Before<'_> {
    pub(super) fn checkout(&self, parts: &[AskPart]) -> Result<Vec<Drawn>, (usize, Reason)> {
        let mut plans = Vec::new();
        let mut lacking = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            match self.plan(part) {
                Ok(plan) => plans.push(plan),
                Err(Reason::NoSeat) => lacking.push(place),
                Err(reason) => return Err((place, reason)),
            }
        }
        let is_vain = |place: &&usize| {
            let part = &parts[**place];
            let pool = self.ledger.pools.get(part.product);
            pool.is_some_and(|pool| u64::from(part.seats) > pool.scene(self.now).seats)
        };
        match lacking.iter().find(is_vain).or(lacking.first()) {
            Some(place) => Err((*place, Reason::NoSeat)),
            None => Ok(as_one(plans)),
        }
    }

    fn plan(&self, asked: &AskPart) -> Result<Drawn, Reason> {
        let pool = self.open_pool(asked.product)?;
        if self.ledger.is_held() {
            return Err(Reason::Undecided);
        }
        let first = pool.queue.first();
        if first.is_some_and(|(first, _)| first.0 >= asked.priority) {
            return Err(Reason::NoSeat);
        }
        let drawn = draw_more(pool, asked.seats, ttl_ms(asked.ttl_seconds), self.now);
        drawn.ok_or(Reason::NoSeat)
    }

    pub(super) fn promotion(&self, together: &[EventNumber]) -> Option<Vec<Drawn>> {
        if self.ledger.is_held() {
            return None;
        }
        let turn = |number: &EventNumber| {
            let ticket = self.ledger.tickets.get(number)?;
            let pool = self.ledger.pools.get(ticket.product)?;
            let is_first = pool.queue.first().is_some_and(|(_, it)| it == number);
            if !is_first || pool.listing.removed || closed(pool, self.now).is_some() {
                return None;
            }
            draw_more(pool, ticket.seats, ttl_ms(ticket.ttl_seconds), self.now)
        };
        together.iter().map(turn).collect::<Option<_>>().map(as_one)
    }

    pub(super) fn adoption(&self, asked: &AskPart, shown: &Shown) -> Option<Drawn> {
        let ledger = self.ledger;
        let pool = ledger.pools.get(asked.product)?;
        let lives = 1..=pool.listing.spec.max_ttl_seconds;
        let may_be = ledger.hold_until.is_some_and(|it| it > self.now.steady)
            && shown.lease.incarnation != ledger.incarnation
            && shown.lease.number.0 >= ledger.life_began
            && lives.contains(&shown.remaining_seconds)
            && !ledger.adopted.contains(&shown.lease)
            && ledger.adopted.len() < ADOPTIONS_LIMIT;
        if !may_be {
            return None;
        }
        let pool = self.open_pool(asked.product).ok()?;
        draw_more(pool, asked.seats, ttl_ms(asked.ttl_seconds), self.now)
    }

    fn open_pool(&self, product: ProductNumber) -> Result<&Pool, Reason> {
        let pool = self.ledger.pools.get(product);
        let pool = pool.ok_or(Reason::NoEntitlement)?;
        match closed(pool, self.now) {
            Some(reason) => Err(reason),
            None => Ok(pool),
        }
    }
}

fn ttl_ms(seconds: u32) -> u64 {
    u64::from(seconds) * 1_000
}

/// What is granted together ends together.
fn as_one(plans: Vec<Drawn>) -> Vec<Drawn> {
    let life_ms = plans.iter().map(|(_, ms)| *ms).min().unwrap_or(0);
    plans
        .into_iter()
        .map(|(draws, _)| (draws, life_ms))
        .collect()
}

fn closed(pool: &Pool, now: Now) -> Option<Reason> {
    if !pool.listing.spec.enabled {
        return Some(Reason::ProductDisabled);
    }
    let owned = || pool.lent.iter().filter(|lent| lent.allotment.seats > 0);
    if owned().any(|lent| is_valid(lent, now)) {
        return None;
    }
    let to_come = owned().any(|lent| lifetime_ms(lent, now).is_none_or(|ms| ms > 0));
    match owned().next() {
        Some(_) if to_come => Some(Reason::NotYetValid),
        Some(_) => Some(Reason::EntitlementExpired),
        None => Some(Reason::NoEntitlement),
    }
}

fn is_valid(lent: &Lent, now: Now) -> bool {
    let has_begun = lent.from.is_none_or(|from| from <= now.wall);
    has_begun && lifetime_ms(lent, now).is_none_or(|ms| ms > 0)
}

fn lifetime_ms(lent: &Lent, now: Now) -> Option<u64> {
    if lent.allotment.seats == 0 {
        return Some(0);
    }
    let validity = lent
        .to
        .map(|to| u64::try_from(to.0 - now.wall.0).unwrap_or(0));
    let loan = lent.allotment.deadline.map(|deadline| {
        deadline
            .since_ms(now.steady)
            .saturating_sub(DRIFT_MARGIN_MS)
    });
    match (validity, loan) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn draw_more(pool: &Pool, seats: u32, ttl_ms: u64, now: Now) -> Option<Drawn> {
    let valid = || pool.lent.iter().filter(|lent| is_valid(lent, now));
    let owned: u64 = valid().map(|lent| u64::from(lent.allotment.seats)).sum();
    if pool.in_use + u64::from(seats) > owned {
        return None;
    }
    let free = |lent: &Lent| u64::from(lent.allotment.seats).saturating_sub(lent.in_use);
    let mut order: Vec<&Lent> = valid().filter(|lent| free(lent) > 0).collect();
    order.sort_by_key(|lent| {
        let longest = Reverse(lifetime_ms(lent, now).unwrap_or(u64::MAX));
        (longest, lent.allotment.number)
    });
    let (mut missing, mut life_ms, mut draws) = (seats, ttl_ms, Vec::new());
    for lent in order {
        let taken = u32::try_from(free(lent)).unwrap_or(u32::MAX).min(missing);
        draws.push(Draw {
            allotment: lent.allotment.number,
            seats: taken,
        });
        life_ms = lifetime_ms(lent, now).map_or(life_ms, |ms| ms.min(life_ms));
        missing -= taken;
        if missing == 0 {
            return Some((draws, life_ms));
        }
    }
    None
}
