//! How events change leases, and the sessions that hold them.

use crate::ledger::kept::held::Held;
use crate::ledger::kept::seatings::Seating;
use crate::ledger::state::undo::Undo;
use crate::ledger::*;

impl Ledger {
    pub(in crate::ledger) fn add_lease(&mut self, lease: &Lease) -> Undo {
        let number = lease.id.number;
        if self.leases.get(number).is_some() {
            return Undo::Nothing;
        }
        let slot = self.leases.insert(Held::new(lease));
        self.lease_deadlines.insert((lease.deadline, number));
        Undo::Granted {
            lease: number,
            shared_before: self.hold(slot),
        }
    }

    /// Takes in the leases of a table, in the order of their numbers: of those that a person's
    /// sessions share, the newest is the one that is joined.
    pub(in crate::ledger) fn restore_leases<E>(
        &mut self,
        leases: impl IntoIterator<Item = Result<Lease, E>>,
    ) -> Result<(), E> {
        let mut deadlines = Vec::new();
        for lease in leases {
            let lease = lease?;
            let slot = self.leases.insert(Held::new(&lease));
            self.hold(slot);
            deadlines.push((lease.deadline, lease.id.number));
        }
        // Built at once, its nodes are full.
        self.lease_deadlines = deadlines.into_iter().collect();
        Ok(())
    }

    /// Counts the lease in a slot as held; answers which one the person's sessions shared before.
    fn hold(&mut self, slot: u32) -> Option<EventNumber> {
        let lease = self.leases.at(slot)?;
        let number = lease.number();
        if let Some(pool) = self.pools.get_mut(lease.product) {
            pool.take(lease.draws());
            pool.leases += 1;
            if lease.is_kept() {
                pool.kept.insert(number);
            }
        }
        for session in lease.sessions() {
            self.sessions.insert(session, Seating::Lease(number));
        }
        if lease.holders().is_empty() {
            return None;
        }
        self.shared.insert((lease.product, lease.subject), number)
    }

    pub(super) fn remove_lease(&mut self, number: EventNumber, cause: EndCause) -> Undo {
        let Some(slot) = self.leases.end(number) else {
            return Undo::Nothing;
        };
        let Some(lease) = self.leases.at(slot) else {
            return Undo::Nothing;
        };
        self.lease_deadlines.remove(&(lease.deadline, number));
        if let Some(pool) = self.pools.get_mut(lease.product) {
            pool.give_back(lease.draws());
            pool.leases = pool.leases.saturating_sub(1);
            pool.kept.remove(&number);
            // What nobody fetched says nothing of how long seats are held.
            if cause != EndCause::Unclaimed {
                let held_ms = self.now.steady.since_ms(lease.granted);
                pool.pace.note(held_ms, self.now.steady);
            }
        }
        for session in lease.sessions() {
            self.sessions.remove(&session);
        }
        let key = (lease.product, lease.subject);
        let shared = !lease.holders().is_empty() && self.shared.get(&key) == Some(&number);
        if shared {
            self.shared.remove(&key);
        }
        Undo::Ended { slot, shared }
    }

    pub(super) fn join(&mut self, number: EventNumber, session: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(number) else {
            return false;
        };
        let mut holders = lease.holders().to_vec();
        let at = holders.partition_point(|other| *other < session);
        holders.insert(at, session);
        lease.set_holders(holders.into());
        self.sessions.insert(session, Seating::Lease(number));
        true
    }

    pub(super) fn leave(&mut self, number: EventNumber, session: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(number) else {
            return false;
        };
        let mut holders = lease.holders().to_vec();
        holders.retain(|other| *other != session);
        lease.set_holders(holders.into());
        self.sessions.remove(&session);
        true
    }

    /// Another incarnation of its agent has said that a session is the same.
    pub(super) fn rekey(&mut self, number: EventNumber, from: SessionKey, to: SessionKey) -> bool {
        let Some(lease) = self.leases.get_mut(number) else {
            return false;
        };
        if lease.session() == Some(from) {
            lease.set_session(Some(to));
        }
        let mut holders = lease.holders().to_vec();
        if let Some(place) = holders.iter().position(|holder| *holder == from) {
            holders[place] = to;
            holders.sort_unstable();
        }
        lease.set_holders(holders.into());
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
        let Some(lease) = self.leases.get_mut(number) else {
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
        let Some(lease) = self.leases.get_mut(number) else {
            return Undo::Nothing;
        };
        let before = smallvec::SmallVec::from_slice(lease.draws());
        lease.set_draws(draws);
        if let Some(pool) = self.pools.get_mut(lease.product) {
            pool.give_back(&before);
            pool.take(draws);
        }
        Undo::Draws {
            lease: number,
            draws: before,
        }
    }

    /// Undoes [`Ledger::add_lease`].
    pub(super) fn undo_lease(&mut self, number: EventNumber, shared_before: Option<EventNumber>) {
        let gone = self.leases.get(number).map(|l| (l.product, l.subject));
        // It was never held, so it says nothing of how long seats are.
        if let Undo::Ended { slot, .. } = self.remove_lease(number, EndCause::Unclaimed) {
            self.leases.forget(slot);
        }
        if let (Some(key), Some(before)) = (gone, shared_before) {
            self.shared.insert(key, before);
        }
    }

    /// Undoes [`Ledger::remove_lease`].
    pub(super) fn undo_end(&mut self, slot: u32, shared: bool) {
        self.leases.revive(slot);
        self.hold(slot);
        let Some(lease) = self.leases.at(slot) else {
            return;
        };
        self.lease_deadlines
            .insert((lease.deadline, lease.number()));
        let key = (lease.product, lease.subject);
        if !shared && self.shared.get(&key) == Some(&lease.number()) {
            self.shared.remove(&key);
        }
    }
}
