//! The leases that are held, by number.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use super::held::Held;
use super::index::Index;
use super::slab::Slab;
use crate::ledger::words::ids::EventNumber;

/// Leases by number. One that ends keeps its slot until its batch is sealed.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Leases {
    held: Slab<Held>,
    by_number: Index,
    /// How many ended leases still keep their slots.
    ended: usize,
}

impl Leases {
    fn slot(&self, number: EventNumber) -> Option<u32> {
        let is_it = |slot| self.number_at(slot) == Some(number);
        self.by_number.find(hash(number), is_it)
    }

    fn number_at(&self, slot: u32) -> Option<EventNumber> {
        self.held.get(slot).map(Held::number)
    }

    pub(in crate::ledger) fn len(&self) -> usize {
        self.held.len() - self.ended
    }

    pub(in crate::ledger) fn get(&self, number: EventNumber) -> Option<&Held> {
        self.held.get(self.slot(number)?)
    }

    pub(in crate::ledger) fn get_mut(&mut self, number: EventNumber) -> Option<&mut Held> {
        self.held.get_mut(self.slot(number)?)
    }

    /// The lease in a slot, held or ended.
    pub(in crate::ledger) fn at(&self, slot: u32) -> Option<&Held> {
        self.held.get(slot)
    }

    /// Adds a lease with a new number; answers its slot.
    pub(in crate::ledger) fn insert(&mut self, lease: Held) -> u32 {
        let number = lease.number();
        let slot = self.held.insert(lease);
        self.enter(number, slot);
        slot
    }

    fn enter(&mut self, number: EventNumber, slot: u32) {
        let held = &self.held;
        self.by_number.insert(hash(number), slot, |slot| {
            held.get(slot).map_or(0, |lease| hash(lease.number()))
        });
    }

    /// Ends a lease, and answers its slot, which it keeps until it is [forgotten](Leases::forget).
    pub(in crate::ledger) fn end(&mut self, number: EventNumber) -> Option<u32> {
        let held = &self.held;
        let is_it = |slot| held.get(slot).is_some_and(|lease| lease.number() == number);
        let slot = self.by_number.remove(hash(number), is_it)?;
        self.held.get_mut(slot)?.has_ended = true;
        self.ended += 1;
        Some(slot)
    }

    /// Undoes the end of the lease in a slot.
    pub(in crate::ledger) fn revive(&mut self, slot: u32) {
        if let Some(lease) = self.held.get_mut(slot).filter(|lease| lease.has_ended) {
            lease.has_ended = false;
            let number = lease.number();
            self.ended -= 1;
            self.enter(number, slot);
        }
    }

    /// Frees the slot of a lease that has ended.
    pub(in crate::ledger) fn forget(&mut self, slot: u32) {
        if self.held.get(slot).is_some_and(|lease| lease.has_ended) {
            self.held.remove(slot);
            self.ended -= 1;
        }
    }

    /// All leases that are held, in no particular order.
    pub(in crate::ledger) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(|lease| !lease.has_ended)
    }
}

/// A plain hash is enough: the ledger itself makes the numbers, so nobody can choose colliding
/// ones.
fn hash(number: EventNumber) -> u64 {
    FxBuildHasher.hash_one(number)
}

impl PartialEq for Leases {
    /// In which slots they lie says only in which order they came and went.
    fn eq(&self, other: &Leases) -> bool {
        let is_there = |lease: &Held| other.get(lease.number()) == Some(lease);
        self.len() == other.len() && self.iter().all(is_there)
    }
}
