//! How often each lease was joined, since the server's start: what agents tell when they ask what a
//! lease is of.
//!
//! It is a hint for people, held in memory and of the last leases that were joined only.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;
use usher_core::ledger::LeaseId;

/// How many leases are remembered; the one that was first joined longest ago makes room.
const LEASES_LIMIT: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Joins(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    of: FxHashMap<LeaseId, u64>,
    order: VecDeque<LeaseId>,
}

impl Joins {
    /// Adds so many joins of a lease.
    pub(crate) fn add(&self, lease: LeaseId, joins: u32) {
        if joins == 0 {
            return;
        }
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counted.of.get_mut(&lease) {
            *count = count.saturating_add(joins.into());
            return;
        }
        if counted.order.len() >= LEASES_LIMIT
            && let Some(oldest) = counted.order.pop_front()
        {
            counted.of.remove(&oldest);
        }
        counted.order.push_back(lease);
        counted.of.insert(lease, joins.into());
    }

    /// How often a lease was joined, as far as is remembered.
    pub(crate) fn of(&self, lease: LeaseId) -> u64 {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.of.get(&lease).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use usher_core::ledger::{EventNumber, Incarnation};

    use super::*;

    #[test]
    fn joins_add_up_and_the_oldest_lease_makes_room() {
        let joins = Joins::default();
        let lease = |number| LeaseId {
            incarnation: Incarnation(1),
            number: EventNumber(number),
        };
        joins.add(lease(0), 2);
        joins.add(lease(0), 3);
        joins.add(lease(1), 0);
        assert_eq!([joins.of(lease(0)), joins.of(lease(1))], [5, 0]);
        for number in 1..=LEASES_LIMIT as u64 {
            joins.add(lease(number), 1);
        }
        let counted = joins.0.lock().unwrap();
        assert_eq!(counted.of.len(), LEASES_LIMIT);
        assert_eq!(counted.order.len(), LEASES_LIMIT);
        drop(counted);
        assert_eq!([joins.of(lease(0)), joins.of(lease(1))], [0, 1]);
    }
}
