//! How events change leases, and the sessions that hold them.

use crate::ledger::state::undo::Undo;
use crate::ledger::*;

impl Ledger {
    pub(in crate::ledger) fn add_lease(&mut self, lease: &Lease) -> Undo {
        let number = lease.id.number;
        let mut shared_before = None;
        if let Some(pool) = self.pools.get_mut(&lease.product) {
            pool.take(&lease.draws);
            pool.leases += 1;
        }
        if !lease.holders.is_empty() {
            shared_before = self.shared.insert((lease.product, lease.subject), number);
        }
        for session in sessions_of(lease) {
            self.sessions.insert(session, Seating::Lease(number));
        }
        self.lease_deadlines.insert((lease.deadline, number));
        self.leases.insert(number, lease.clone());
        Undo::Granted {
            lease: number,
            shared_before,
        }
    }

    pub(super) fn remove_lease(&mut self, number: EventNumber) -> Undo {
        let Some(lease) = self.leases.remove(&number) else {
            return Undo::Nothing;
        };
        self.lease_deadlines.remove(&(lease.deadline, number));
        if let Some(pool) = self.pools.get_mut(&lease.product) {
            pool.give_back(&lease.draws);
            pool.leases = pool.leases.saturating_sub(1);
            let held_ms = self.now.steady.since_ms(lease.granted);
            pool.pace.note(held_ms, self.now.steady);
        }
        for session in sessions_of(&lease) {
            self.sessions.remove(&session);
        }
        let key = (lease.product, lease.subject);
        let shared = !lease.holders.is_empty() && self.shared.get(&key) == Some(&number);
        if shared {
            self.shared.remove(&key);
        }
        Undo::Ended {
            lease: Box::new(lease),
            shared,
        }
    }

    pub(super) fn join(&mut self, number: EventNumber, session: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else {
            return false;
        };
        let mut holders = std::mem::take(&mut lease.holders).into_vec();
        let at = holders.partition_point(|other| *other < session);
        holders.insert(at, session);
        lease.holders = holders.into();
        self.sessions.insert(session, Seating::Lease(number));
        true
    }

    pub(super) fn leave(&mut self, number: EventNumber, session: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else {
            return false;
        };
        let mut holders = std::mem::take(&mut lease.holders).into_vec();
        holders.retain(|other| *other != session);
        lease.holders = holders.into();
        self.sessions.remove(&session);
        true
    }

    /// Another incarnation of its agent has said that a session is the same.
    pub(super) fn rekey(&mut self, number: EventNumber, from: SessionKey, to: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(&number) else {
            return false;
        };
        if lease.session == Some(from) {
            lease.session = Some(to);
        }
        let mut holders = std::mem::take(&mut lease.holders).into_vec();
        if let Some(place) = holders.iter().position(|holder| *holder == from) {
            holders[place] = to;
            holders.sort_unstable();
        }
        lease.holders = holders.into();
        self.sessions.remove(&from);
        self.sessions.insert(to, Seating::Lease(number));
        true
    }

    pub(super) fn set_deadline(
        &mut self,
        number: EventNumber,
        deadline: Steady,
        graced: bool,
    ) -> Undo {
        let Some(lease) = self.leases.get_mut(&number) else {
            return Undo::Nothing;
        };
        let undo = Undo::Lease {
            lease: number,
            deadline: lease.deadline,
            graced: lease.graced,
        };
        self.lease_deadlines.remove(&(lease.deadline, number));
        self.lease_deadlines.insert((deadline, number));
        lease.deadline = deadline;
        // A renewal proves that the holder lives: the next reboot may give it a grace again.
        lease.graced = graced;
        undo
    }

    pub(super) fn redraw(
        &mut self,
        number: EventNumber,
        draws: &smallvec::SmallVec<[Draw; 1]>,
    ) -> Undo {
        let Some(lease) = self.leases.get_mut(&number) else {
            return Undo::Nothing;
        };
        let before = std::mem::replace(&mut lease.draws, draws.clone());
        if let Some(pool) = self.pools.get_mut(&lease.product) {
            pool.give_back(&before);
            pool.take(draws);
        }
        Undo::Draws {
            lease: number,
            draws: before,
        }
    }

    /// Takes [`Ledger::add_lease`] back.
    pub(super) fn undo_lease(&mut self, number: EventNumber, shared_before: Option<EventNumber>) {
        let gone = self.leases.get(&number).map(|l| (l.product, l.subject));
        self.remove_lease(number);
        if let (Some(key), Some(before)) = (gone, shared_before) {
            self.shared.insert(key, before);
        }
    }

    /// Takes [`Ledger::remove_lease`] back.
    pub(super) fn undo_end(&mut self, lease: Lease, shared: bool) {
        self.add_lease(&lease);
        if !shared {
            let key = (lease.product, lease.subject);
            if self.shared.get(&key) == Some(&lease.id.number) {
                self.shared.remove(&key);
            }
        }
    }
}

/// The sessions that a lease seats.
fn sessions_of(lease: &Lease) -> impl Iterator<Item = SessionKey> {
    let own = lease.session.filter(|_| lease.holders.is_empty());
    lease.holders.iter().copied().chain(own)
}
