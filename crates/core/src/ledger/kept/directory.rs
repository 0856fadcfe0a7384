//! People and computers, by their keys and by their surrogates.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use rustc_hash::FxBuildHasher;

use super::index::Index;
use super::slab::Slab;
use crate::ledger::words::ids::*;
use crate::ledger::words::records::{Computer, Subject};

/// An entry of a directory: a surrogate, and the key that it stands for.
trait Entry {
    type Id: Copy + Eq + Hash;

    fn id(&self) -> Self::Id;
    fn key(&self) -> (&str, &str);
}

impl Entry for Subject {
    type Id = SubjectId;

    fn id(&self) -> SubjectId {
        self.id
    }

    fn key(&self) -> (&str, &str) {
        (&self.authority, &self.key)
    }
}

impl Entry for Computer {
    type Id = ComputerId;

    fn id(&self) -> ComputerId {
        self.id
    }

    fn key(&self) -> (&str, &str) {
        ("", &self.key)
    }
}

/// Entries, found either way. Keys come from outside, so they are hashed under a key of this
/// process: nobody can choose names that all fall into one place. No decision depends on it.
#[derive(Debug, Clone)]
struct Directory<T> {
    entries: Slab<T>,
    by_id: Index,
    by_key: Index,
    keyed: RandomState,
}

impl<T> Default for Directory<T> {
    fn default() -> Directory<T> {
        Directory {
            entries: Slab::default(),
            by_id: Index::default(),
            by_key: Index::default(),
            keyed: RandomState::new(),
        }
    }
}

impl<T: Entry> Directory<T> {
    fn slot(&self, id: T::Id) -> Option<u32> {
        let is_it = |slot| self.entries.get(slot).is_some_and(|it| it.id() == id);
        self.by_id.find(FxBuildHasher.hash_one(id), is_it)
    }

    fn get(&self, id: T::Id) -> Option<&T> {
        self.entries.get(self.slot(id)?)
    }

    fn find(&self, key: (&str, &str)) -> Option<&T> {
        let is_it = |slot| self.entries.get(slot).is_some_and(|it| it.key() == key);
        let slot = self.by_key.find(self.keyed.hash_one(key), is_it)?;
        self.entries.get(slot)
    }

    fn put(&mut self, entry: T) -> Option<T> {
        let id = entry.id();
        let before = self.remove(id);
        let (by_id, by_key) = (FxBuildHasher.hash_one(id), self.keyed.hash_one(entry.key()));
        let slot = self.entries.insert(entry);
        let (entries, keyed) = (&self.entries, &self.keyed);
        self.by_id.insert(by_id, slot, |slot| {
            let entry = entries.get(slot);
            entry.map_or(0, |entry| FxBuildHasher.hash_one(entry.id()))
        });
        self.by_key.insert(by_key, slot, |slot| {
            let entry = entries.get(slot);
            entry.map_or(0, |entry| keyed.hash_one(entry.key()))
        });
        before
    }

    fn remove(&mut self, id: T::Id) -> Option<T> {
        let slot = self.slot(id)?;
        let gone = self.entries.remove(slot)?;
        let by_key = self.keyed.hash_one(gone.key());
        self.by_id
            .remove(FxBuildHasher.hash_one(id), |other| other == slot);
        self.by_key.remove(by_key, |other| other == slot);
        Some(gone)
    }

    fn undo(&mut self, id: T::Id, before: Option<T>) {
        match before {
            Some(before) => drop(self.put(before)),
            None => drop(self.remove(id)),
        }
    }
}

impl<T: Entry + PartialEq> PartialEq for Directory<T> {
    /// In which slots they lie says only in which order they came and went.
    fn eq(&self, other: &Directory<T>) -> bool {
        let is_there = |entry: &T| other.get(entry.id()) == Some(entry);
        self.entries.len() == other.entries.len() && self.entries.iter().all(is_there)
    }
}

/// Realms whose names are held once; people of others hold their own.
const REALMS_LIMIT: usize = 64;

/// The people in a ledger's directory.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    people: Directory<Subject>,
    realms: Vec<Arc<str>>,
}

impl Subjects {
    /// The person with that surrogate.
    pub fn get(&self, id: SubjectId) -> Option<&Subject> {
        self.people.get(id)
    }

    /// The person with that realm and account.
    pub fn find(&self, authority: &str, key: &str) -> Option<&Subject> {
        self.people.find((authority, key))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.people.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(in crate::ledger) fn put(&mut self, mut subject: Subject) -> Option<Subject> {
        match self
            .realms
            .iter()
            .find(|realm| **realm == subject.authority)
        {
            Some(known) => subject.authority = known.clone(),
            None if self.realms.len() < REALMS_LIMIT => self.realms.push(subject.authority.clone()),
            None => {}
        }
        if subject.name == subject.key {
            subject.name = subject.key.clone();
        }
        self.people.put(subject)
    }

    pub(in crate::ledger) fn undo(&mut self, id: SubjectId, before: Option<Subject>) {
        self.people.undo(id, before);
    }

    pub(in crate::ledger) fn remove(&mut self, id: SubjectId) -> Option<Subject> {
        self.people.remove(id)
    }
}

impl PartialEq for Subjects {
    /// Which realms' names are held once says only who came first.
    fn eq(&self, other: &Subjects) -> bool {
        self.people == other.people
    }
}

/// The computers in a ledger's directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Computers(Directory<Computer>);

impl Computers {
    /// The computer with that surrogate.
    pub fn get(&self, id: ComputerId) -> Option<&Computer> {
        self.0.get(id)
    }

    /// The computer with that key.
    pub fn find(&self, key: &str) -> Option<&Computer> {
        self.0.find(("", key))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All computers, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Computer> {
        self.0.entries.iter()
    }

    pub(in crate::ledger) fn put(&mut self, mut computer: Computer) -> Option<Computer> {
        if computer.name == computer.key {
            computer.name = computer.key.clone();
        }
        if computer.document.is_empty() {
            // It shares one empty text with all others: an own one takes as much memory as a name.
            computer.document = Arc::default();
        }
        self.0.put(computer)
    }

    pub(in crate::ledger) fn undo(&mut self, id: ComputerId, before: Option<Computer>) {
        self.0.undo(id, before);
    }

    pub(in crate::ledger) fn remove(&mut self, id: ComputerId) -> Option<Computer> {
        self.0.remove(id)
    }
}
