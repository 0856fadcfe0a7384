//! People and computers, by their keys and by their surrogates.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::ids::*;
use super::records::{Computer, Subject};

fn hash_of(key: impl Hash) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// The people that a ledger has heard of.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    by_id: FxHashMap<SubjectId, Subject>,
    by_key: HashTable<SubjectId>,
}

impl Subjects {
    /// By surrogate.
    pub fn get(&self, id: SubjectId) -> Option<&Subject> {
        self.by_id.get(&id)
    }

    /// By authority and key.
    pub fn find(&self, authority: &str, key: &str) -> Option<&Subject> {
        let id = self.by_key.find(hash_of((authority, key)), |id| {
            self.by_id
                .get(id)
                .is_some_and(|s| *s.authority == *authority && *s.key == *key)
        })?;
        self.by_id.get(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn put(&mut self, subject: Subject) -> Option<Subject> {
        let id = subject.id;
        let hash = hash_of((&*subject.authority, &*subject.key));
        let before = self.by_id.insert(id, subject);
        if before.is_none() {
            let by_id = &self.by_id;
            self.by_key.insert_unique(hash, id, |id| {
                by_id
                    .get(id)
                    .map_or(0, |s| hash_of((&*s.authority, &*s.key)))
            });
        }
        before
    }

    pub(super) fn undo(&mut self, id: SubjectId, before: Option<Subject>) {
        if let Some(before) = before {
            self.by_id.insert(id, before);
            return;
        }
        if let Some(gone) = self.by_id.remove(&id)
            && let Ok(entry) = self
                .by_key
                .find_entry(hash_of((&*gone.authority, &*gone.key)), |other| {
                    *other == id
                })
        {
            entry.remove();
        }
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
    by_key: FxHashMap<Arc<str>, ComputerId>,
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

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Computer> {
        self.by_id.values()
    }

    pub(super) fn put(&mut self, computer: Computer) -> Option<Computer> {
        self.by_key.insert(computer.key.clone(), computer.id);
        self.by_id.insert(computer.id, computer)
    }

    pub(super) fn undo(&mut self, id: ComputerId, before: Option<Computer>) {
        if let Some(before) = before {
            self.by_id.insert(id, before);
        } else if let Some(gone) = self.by_id.remove(&id) {
            self.by_key.remove(&gone.key);
        }
    }
}
