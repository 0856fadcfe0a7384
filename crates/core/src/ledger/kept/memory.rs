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

    /// Takes a key's place out of the table, where it is the one that is meant.
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
mod tests {
    use super::*;

    fn answer(body: u64, at: u64) -> Remembered {
        Remembered {
            body,
            reply: Box::new(Reply::Done),
            at: Steady(at),
        }
    }

    fn body(memory: &Memory, key: u128) -> Option<u64> {
        memory.get(key).map(|remembered| remembered.body)
    }

    #[test]
    fn the_newest_half_a_million_are_kept_and_their_table_never_becomes_large() {
        let mut memory = Memory::default();
        let count = 5 * KEYS_LIMIT as u64;
        for number in 0..count {
            memory.put(u128::from(number), answer(number, 0));
            memory.prune(Steady(1));
        }
        assert_eq!(memory.kept.len(), KEYS_LIMIT);
        assert_eq!(memory.places.len(), KEYS_LIMIT);
        let oldest = count - KEYS_LIMIT as u64;
        assert_eq!(body(&memory, u128::from(oldest) - 1), None);
        for number in [oldest, count - 1] {
            assert_eq!(body(&memory, u128::from(number)), Some(number));
        }
        let bytes = memory.places.allocation_size();
        assert!(bytes <= 20 << 20, "{bytes} bytes of places");
    }

    #[test]
    fn a_key_that_was_forgotten_may_be_used_again_and_an_undone_one_too() {
        let mut memory = Memory::default();
        memory.put(7, answer(1, 0));
        memory.put(8, answer(2, 10));
        memory.put(7, answer(3, 20));
        assert_eq!(body(&memory, 7), Some(3));
        // Its first answer is too old; its second is not.
        memory.prune(Steady(KEPT_SECONDS * 1_000 + 5));
        assert_eq!((body(&memory, 7), body(&memory, 8)), (Some(3), Some(2)));
        memory.undo(7);
        assert_eq!((body(&memory, 7), body(&memory, 8)), (None, Some(2)));
        memory.put(7, answer(4, 30));
        memory.prune(Steady(2 * KEPT_SECONDS * 1_000));
        assert_eq!((body(&memory, 7), body(&memory, 8)), (None, None));
        assert_eq!(memory.places.len(), 0);
    }
}
