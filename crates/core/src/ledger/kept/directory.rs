//! People and computers, by their keys and by their surrogates.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::FxHashMap;

use crate::ledger::words::ids::*;
use crate::ledger::words::records::{Computer, Subject};

/// The people that a ledger has heard of. Their keys come from outside, so they are hashed under a
/// key of this process: nobody can choose names that all fall into one place. No decision depends
/// on it.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    by_id: FxHashMap<SubjectId, Subject>,
    by_key: HashTable<SubjectId>,
    keyed: RandomState,
}

impl Subjects {
    /// By surrogate.
    pub fn get(&self, id: SubjectId) -> Option<&Subject> {
        self.by_id.get(&id)
    }

    /// By authority and key.
    pub fn find(&self, authority: &str, key: &str) -> Option<&Subject> {
        let id = self.by_key.find(self.hash_of((authority, key)), |id| {
            self.by_id
                .get(id)
                .is_some_and(|s| *s.authority == *authority && *s.key == *key)
        })?;
        self.by_id.get(id)
    }

    fn hash_of(&self, key: impl Hash) -> u64 {
        self.keyed.hash_one(key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(in crate::ledger) fn put(&mut self, subject: Subject) -> Option<Subject> {
        let id = subject.id;
        let hash = self.hash_of((&*subject.authority, &*subject.key));
        let before = self.by_id.insert(id, subject);
        if before.is_none() {
            let (by_id, keyed) = (&self.by_id, &self.keyed);
            self.by_key.insert_unique(hash, id, |id| {
                by_id
                    .get(id)
                    .map_or(0, |s| keyed.hash_one((&*s.authority, &*s.key)))
            });
        }
        before
    }

    pub(in crate::ledger) fn undo(&mut self, id: SubjectId, before: Option<Subject>) {
        match before {
            Some(before) => drop(self.by_id.insert(id, before)),
            None => drop(self.remove(id)),
        }
    }

    pub(in crate::ledger) fn remove(&mut self, id: SubjectId) -> Option<Subject> {
        let gone = self.by_id.remove(&id)?;
        let hash = self.hash_of((&*gone.authority, &*gone.key));
        if let Ok(entry) = self.by_key.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
        Some(gone)
    }
}

impl PartialEq for Subjects {
    fn eq(&self, other: &Subjects) -> bool {
        self.by_id == other.by_id
    }
}

impl Eq for Subjects {}

/// The computers that a ledger has heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Computers {
    by_id: FxHashMap<ComputerId, Computer>,
    by_key: HashMap<Arc<str>, ComputerId>,
}

impl Computers {
    /// By surrogate.
    pub fn get(&self, id: ComputerId) -> Option<&Computer> {
        self.by_id.get(&id)
    }

    /// By key.
    pub fn find(&self, key: &str) -> Option<&Computer> {
        self.by_id.get(self.by_key.get(key)?)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Computer> {
        self.by_id.values()
    }

    pub(in crate::ledger) fn put(&mut self, computer: Computer) -> Option<Computer> {
        self.by_key.insert(computer.key.clone(), computer.id);
        self.by_id.insert(computer.id, computer)
    }

    pub(in crate::ledger) fn undo(&mut self, id: ComputerId, before: Option<Computer>) {
        match before {
            Some(before) => drop(self.by_id.insert(id, before)),
            None => drop(self.remove(id)),
        }
    }

    pub(in crate::ledger) fn remove(&mut self, id: ComputerId) -> Option<Computer> {
        let gone = self.by_id.remove(&id)?;
        self.by_key.remove(&gone.key);
        Some(gone)
    }
}
