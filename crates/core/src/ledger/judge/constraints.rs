//! What every new seat must satisfy, whatever the licence model. The reasons of most denials are
//! made here.

use crate::ledger::judge::ask::{AskPart, Way};
use crate::ledger::kept::lent::Most;
use crate::ledger::kept::pool::Pool;
use crate::ledger::*;

/// What a constraint sees besides the ask.
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

/// All constraints, in the order in which they are asked: the first that refuses gives the reason.
pub(super) const EACH_PRODUCT: [&dyn Constraint; 3] = [&Open, &Hold, &Turn];

/// The product is switched on, and seats of it are owned and valid today.
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

/// Nobody gets a seat during a pause; during the hold after a restore, only holders who show a
/// lease from before it.
struct Hold;

impl Constraint for Hold {
    fn allows(&self, asked: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason> {
        match asked.way {
            Way::New | Way::Waiting(_) if at.ledger.is_held() => Err(Reason::Undecided),
            _ => Ok(Most::ALL),
        }
    }
}

/// Nobody overtakes: free seats belong to the first waiting request of the same or a higher
/// priority.
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
