//! After a restore: takes over leases that were granted after the snapshot, and that only their
//! holders still know.
//!
//! While the hold lasts (a pause is none) nobody else is granted anything, so a free seat belongs to
//! whoever can show a lease of it. What is shown cannot be checked: it is the word of an agent,
//! which might as well have asked for the seat an hour ago. So an adoption is held to what the
//! ledger itself knows: a seat must be free, the lease must be of another life and of an event that
//! the snapshot did not have, and it is taken over once.

use crate::ledger::*;

/// The largest number of leases that one life takes over. Sessions that show further ones run
/// unseated until the hold is over.
pub const ADOPTIONS_LIMIT: usize = 1_000_000;

impl Ledger {
    /// Whether a shown lease may be taken over, provided that seats are free.
    pub(in crate::ledger) fn may_adopt(&self, product: ProductNumber, shown: &Shown) -> bool {
        let Some(pool) = self.pools.get(product) else {
            return false;
        };
        let lives = 1..=pool.listing.spec.max_ttl_seconds;
        self.holds_after_restore()
            && shown.lease.incarnation != self.incarnation
            && shown.lease.number.0 >= self.life_began
            && lives.contains(&shown.remaining_seconds)
            && !self.adopted.contains(&shown.lease)
            && self.adopted.len() < ADOPTIONS_LIMIT
    }

    /// Leases of another life that were taken over in this one.
    pub fn adopted(&self) -> impl Iterator<Item = LeaseId> {
        self.adopted.iter().copied()
    }
}
