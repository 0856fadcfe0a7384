//! What every new seat must satisfy, whatever its product is counted by. The reasons of most denials
//! are made here.

use crate::ledger::judge::ask::{AskPart, Way};
use crate::ledger::kept::lent::Most;
use crate::ledger::kept::pool::Pool;
use crate::ledger::*;

/// What a constraint looks at beside the ask.
pub(super) struct Hearing<'a> {
    pub(super) ledger: &'a Ledger,
    /// The pool of the product that is asked for.
    pub(super) pool: &'a Pool,
    pub(super) now: Now,
}

/// Something that limits who gets a seat.
pub(super) trait Constraint {
    /// The most that it allows of one part of an ask, or why nothing.
    fn allows(&self, asked: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason>;
}

/// All of them, in the order in which they are asked: the first that refuses gives the reason.
pub(super) const EACH_PRODUCT: [&dyn Constraint; 3] = [&Open, &Hold, &Turn];

/// Seats of the product are handed out at all: it is switched on, and some are owned today.
struct Open;

impl Constraint for Open {
    fn allows(&self, _: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason> {
        let (pool, now) = (at.pool, at.now);
        if pool.listing.removed {
            return Err(Reason::NoEntitlement);
        }
        if !pool.listing.spec.enabled {
            return Err(Reason::ProductDisabled);
        }
        let mut owned = pool.lent.iter().filter(|lent| lent.allotment.seats > 0);
        if owned.clone().any(|lent| lent.is_valid(now)) {
            return Ok(Most::ALL);
        }
        Err(match owned.next() {
            Some(_) if pool.seats_to_come(now) > 0 => Reason::NotYetValid,
            Some(_) => Reason::EntitlementExpired,
            None => Reason::NoEntitlement,
        })
    }
}

/// Nobody gets a seat in a pause, and after a restore only who shows a lease of before it.
struct Hold;

impl Constraint for Hold {
    fn allows(&self, asked: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason> {
        match asked.way {
            Way::New | Way::Waiting(_) if at.ledger.is_held() => Err(Reason::Undecided),
            _ => Ok(Most::ALL),
        }
    }
}

/// Nobody overtakes: free seats belong to the first who waits with as high a priority.
struct Turn;

impl Constraint for Turn {
    fn allows(&self, asked: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason> {
        let first = at.pool.queue.first();
        let has_turn = match asked.way {
            Way::New => first.is_none_or(|(priority, _)| priority.0 < asked.priority),
            Way::Waiting(ticket) => first.is_some_and(|(_, first)| *first == ticket.number),
            Way::Shown(_) | Way::Canary => true,
        };
        match has_turn {
            true => Ok(Most::ALL),
            false => Err(Reason::NoSeat),
        }
    }
}
