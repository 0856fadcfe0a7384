//! An allotment in a product's pool: its seats in use, and how long its seats last.

use crate::ledger::words::entitlement::Model;
use crate::ledger::words::ids::*;
use crate::ledger::words::records::*;
use crate::ledger::words::validity::Bound;

/// The limit of what an ask may take from an allotment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Most {
    /// The largest number of seats.
    pub(in crate::ledger) seats: u32,
    /// For how long without renewal, in milliseconds.
    pub(in crate::ledger) life_ms: u64,
}

impl Most {
    /// No limit.
    pub(in crate::ledger) const ALL: Most = Most {
        seats: u32::MAX,
        life_ms: u64::MAX,
    };
    /// Nothing may be taken.
    pub(in crate::ledger) const NOTHING: Most = Most {
        seats: 0,
        life_ms: 0,
    };
}

/// An allotment and its seats in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// The allotment.
    pub allotment: Allotment,
    /// The first instant at which it is valid; none: it always was.
    pub from: Option<Wall>,
    /// The first instant at which it is no longer valid; none: it never ends.
    pub to: Option<Wall>,
    /// Its seats in use. They exceed its seats only after it was made smaller.
    pub in_use: u64,
    /// The licence model of its entitlement; none: the entitlement was removed.
    pub(in crate::ledger) model: Option<Model>,
}

/// A lease may end this long before a loan's deadline, so that two clocks that drift apart never
/// count a seat twice.
pub const DRIFT_MARGIN_MS: u64 = 2_000;

impl Lent {
    pub(in crate::ledger) fn new(allotment: Allotment) -> Lent {
        Lent {
            from: allotment.from.as_ref().map(Bound::begins),
            to: allotment.to.as_ref().map(Bound::ends),
            allotment,
            in_use: 0,
            model: None,
        }
    }

    /// Whether seats may be granted from it now.
    pub fn is_valid(&self, now: Now) -> bool {
        self.from.is_none_or(|from| from <= now.wall)
            && self.lifetime_ms(now).is_none_or(|ms| ms > 0)
    }

    /// The longest time that a lease from it may live, in milliseconds; none: no limit.
    pub(in crate::ledger) fn lifetime_ms(&self, now: Now) -> Option<u64> {
        // What it was lent from is owned no more.
        if self.allotment.seats == 0 {
            return Some(0);
        }
        let validity = self
            .to
            .map(|to| u64::try_from(to.0.saturating_sub(now.wall.0)).unwrap_or(0));
        let loan = self.allotment.deadline.map(|deadline| {
            deadline
                .since_ms(now.steady)
                .saturating_sub(DRIFT_MARGIN_MS)
        });
        match (validity, loan) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub(in crate::ledger) fn free(&self) -> u32 {
        let free = u64::from(self.allotment.seats).saturating_sub(self.in_use);
        u32::try_from(free).unwrap_or(u32::MAX)
    }
}
