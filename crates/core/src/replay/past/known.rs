//! What belongs together in a past: leases, their sessions, and the waits that came to them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{MadeBy, Past, PastLease, PastWait};

/// What belongs together, by what servers call it.
#[derive(Default)]
pub(super) struct Known {
    /// The leases, and whether each is over.
    leases: FxHashMap<MadeBy, bool>,
    /// Those of them that somebody used.
    used: FxHashSet<MadeBy>,
    /// For how long the session of a lease had no seat, in milliseconds.
    unseated_ms: FxHashMap<MadeBy, u64>,
    /// When each wait began and with which priority, by its ticket and by the lease that it came to.
    queued: FxHashMap<MadeBy, (i64, i8)>,
    /// Tickets whose lease was used.
    served: FxHashSet<MadeBy>,
    /// People who have waited, or would have.
    patient: FxHashSet<u64>,
}

impl Known {
    pub(super) fn of(past: &[Past]) -> Known {
        let mut known = Known::default();
        for it in past {
            match it {
                Past::Lease(lease) => known.enter_lease(lease),
                Past::Session(session) => {
                    if let Some(lease) = session.lease {
                        let unseated_ms = known.unseated_ms.entry(lease).or_default();
                        *unseated_ms = session.unseated_ms.max(*unseated_ms);
                    }
                }
                Past::Wait(wait) => known.enter_wait(wait),
                Past::Refusal(refusal) => {
                    if refusal.would_wait == Some(true) {
                        known.patient.extend(refusal.who.person);
                    }
                }
            }
        }
        known
    }

    fn enter_lease(&mut self, lease: &PastLease) {
        let is_over = self.leases.entry(lease.key).or_default();
        *is_over |= lease.held_ms.is_some();
        if lease.was_used {
            self.used.insert(lease.key);
            self.served.extend(lease.ticket);
        }
    }

    fn enter_wait(&mut self, wait: &PastWait) {
        self.patient.extend(wait.who.person);
        let queued = (wait.queued_ms, wait.priority);
        self.queued.insert(wait.key, queued);
        if let Some(lease) = wait.lease {
            self.queued.insert(lease, queued);
        }
    }

    /// Whether a lease is there.
    pub(super) fn has(&self, lease: MadeBy) -> bool {
        self.leases.contains_key(&lease)
    }

    /// Whether this is what was known of a lease before it ended, and its end is known too.
    pub(super) fn is_superseded(&self, lease: &PastLease) -> bool {
        lease.held_ms.is_none() && self.leases.get(&lease.key) == Some(&true)
    }

    /// When the wait for a lease began, in Unix milliseconds, and its priority; none: nobody waited
    /// for it.
    pub(super) fn queued(&self, lease: &PastLease) -> Option<(i64, i8)> {
        let by_ticket = lease.ticket.and_then(|it| self.queued.get(&it));
        by_ticket.or_else(|| self.queued.get(&lease.key)).copied()
    }

    /// For how long its session had no seat, in milliseconds.
    pub(super) fn unseated_ms(&self, lease: MadeBy) -> u64 {
        self.unseated_ms.get(&lease).copied().unwrap_or(0)
    }

    /// Whether a wait is part of an ask whose lease is there and was used.
    pub(super) fn is_told_by_its_lease(&self, wait: &PastWait) -> bool {
        let came_to = wait.lease.is_some_and(|lease| self.used.contains(&lease));
        came_to || self.served.contains(&wait.key)
    }

    /// Whether a wait came to a lease that nobody used.
    pub(super) fn was_in_vain(&self, wait: &PastWait) -> bool {
        let is_there = wait.lease.is_some_and(|lease| self.has(lease));
        !wait.was_granted || is_there
    }

    /// Whether somebody has waited once, or would have.
    pub(super) fn is_patient(&self, person: Option<u64>) -> bool {
        person.is_some_and(|person| self.patient.contains(&person))
    }
}
