//! Answers by idempotency key, so that a repeated command gets its first answer. Kept for a day and
//! for the newest half a million keys; an older command is applied again.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::ledger::words::ids::Steady;
use crate::ledger::words::reply::Reply;

/// Answers are kept this long.
pub const KEPT_SECONDS: u64 = 86_400;
/// Answers that are kept at the most.
pub const KEYS_LIMIT: usize = 500_000;

/// An answer and the body that it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) struct Remembered {
    /// Hash of the body.
    pub(in crate::ledger) body: u64,
    /// The answer.
    pub(in crate::ledger) reply: Box<Reply>,
    /// When it was given.
    pub(in crate::ledger) at: Steady,
}

/// The answers under their keys. They stand in one queue, and the table holds their places alone:
/// a table of which as much is removed as comes doubles once more than its size needs.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Memory {
    kept: VecDeque<(u128, Remembered)>,
    /// The place of the queue's head; places only grow.
    first: u64,
    places: HashTable<u64>,
    /// Who asks chooses the key, so it is hashed under a key of this process.
    keyed: RandomState,
}

impl Memory {
    pub(in crate::ledger) fn get(&self, key: u128) -> Option<&Remembered> {
        let is_it = |place: &u64| self.key_at(*place) == Some(key);
        let place = self.places.find(self.keyed.hash_one(key), is_it)?;
        self.at(*place).map(|(_, remembered)| remembered)
    }

    pub(in crate::ledger) fn put(&mut self, key: u128, remembered: Remembered) {
        let place = self.first + self.kept.len() as u64;
        // A key that was forgotten may be in use again.
        self.forget(key, |_| true);
        self.kept.push_back((key, remembered));
        let (kept, first, keyed) = (&self.kept, self.first, &self.keyed);
        self.places
            .insert_unique(keyed.hash_one(key), place, |place| {
                let kept = kept.get(index(*place, first));
                kept.map_or(0, |(key, _)| keyed.hash_one(key))
            });
    }

    pub(in crate::ledger) fn undo(&mut self, key: u128) {
        self.forget(key, |_| true);
        self.kept.pop_back();
    }

    pub(in crate::ledger) fn prune(&mut self, now: Steady) {
        while let Some((key, remembered)) = self.kept.front() {
            let is_new = now.since_ms(remembered.at) < KEPT_SECONDS * 1_000;
            if is_new && self.kept.len() <= KEYS_LIMIT {
                return;
            }
            let (key, place) = (*key, self.first);
            self.forget(key, |other| other == place);
            self.kept.pop_front();
            self.first += 1;
        }
    }

    /// Removes a key's entry from the table, if `is_meant` says that it is the one.
    fn forget(&mut self, key: u128, is_meant: impl Fn(u64) -> bool) {
        let (kept, first) = (&self.kept, self.first);
        let is_it = |place: &u64| {
            let found = kept.get(index(*place, first));
            is_meant(*place) && found.is_some_and(|(other, _)| *other == key)
        };
        if let Ok(entry) = self.places.find_entry(self.keyed.hash_one(key), is_it) {
            entry.remove();
        }
    }

    fn at(&self, place: u64) -> Option<&(u128, Remembered)> {
        self.kept.get(index(place, self.first))
    }

    fn key_at(&self, place: u64) -> Option<u128> {
        self.at(place).map(|(key, _)| *key)
    }
}

/// Where a place is in the queue that begins with the place `first`: it holds what is in memory.
fn index(place: u64, first: u64) -> usize {
    place.wrapping_sub(first) as usize
}

impl PartialEq for Memory {
    /// Where the queue begins tells only how much was forgotten before.
    fn eq(&self, other: &Memory) -> bool {
        self.kept == other.kept
    }
}

impl Eq for Memory {}

#[cfg(test)]
mod tests;
