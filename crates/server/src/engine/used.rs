//! Kept seats that a `usher run` uses: its agent asks what the lease is of, and of a seat that is only
//! kept none does.
//!
//! The ledger knows who uses a kept seat only if a session claims it. This is a hint for people, held
//! in memory and of the last leases alone; agents go on asking about what they cover, so that it is
//! known again soon after a restart.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashSet;
use usher_core::ledger::LeaseId;

/// How many leases are remembered; the one that was used first makes room.
const LEASES_LIMIT: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Used {
    known: Mutex<Known>,
    is_kept: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    leases: FxHashSet<LeaseId>,
    order: VecDeque<LeaseId>,
}

impl Used {
    /// Notes that a seat to be kept was asked for.
    pub(crate) fn keeps_one(&self) {
        if !self.is_kept.load(Ordering::Relaxed) {
            self.is_kept.store(true, Ordering::Relaxed);
        }
    }

    /// Whether any such seat was asked for since the server's start; if not, there is none to look
    /// for.
    pub(crate) fn keeps_any(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    /// Notes that somebody uses the seat.
    pub(crate) fn add(&self, lease: LeaseId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.leases.insert(lease) {
            return;
        }
        known.order.push_back(lease);
        if known.order.len() > LEASES_LIMIT
            && let Some(oldest) = known.order.pop_front()
        {
            known.leases.remove(&oldest);
        }
    }

    /// Whether somebody is known to use the seat.
    pub(crate) fn has(&self, lease: LeaseId) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.leases.contains(&lease)
    }
}

#[cfg(test)]
mod tests {
    use usher_core::ledger::{EventNumber, Incarnation};

    use super::*;

    #[test]
    fn the_lease_that_was_used_first_makes_room() {
        let used = Used::default();
        let lease = |number| LeaseId {
            incarnation: Incarnation(1),
            number: EventNumber(number),
        };
        for number in 0..=LEASES_LIMIT as u64 {
            used.add(lease(number));
            used.add(lease(number));
        }
        assert!(!used.has(lease(0)) && used.has(lease(1)));
        assert!(used.has(lease(LEASES_LIMIT as u64)));
    }
}
