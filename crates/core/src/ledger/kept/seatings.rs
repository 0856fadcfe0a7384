//! The seats of agents' sessions: a lease, or none.
//!
//! A session is its number within one incarnation of its agent. The state of an agent may be
//! rolled back (a virtual machine's snapshot); its numbers then come again for other programs, in
//! a new incarnation. So what a number has is kept for each incarnation.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::index::Index;
use super::slab::Slab;
use crate::ledger::words::ids::ComputerId;
use crate::ledger::words::ids::EventNumber;
use crate::ledger::words::records::{SessionKey, Unseated};

/// The seat of an agent's session, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) enum Seating {
    /// The number of its lease.
    Lease(EventNumber),
    /// No seat.
    Unseated(Box<Unseated>),
}

/// The sessions of one number, in the order of incarnations.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sessions {
    number: Number,
    seatings: SmallVec<[(u64, Seating); 1]>,
}

/// A computer, and a session number of its agent.
type Number = (ComputerId, u64);

/// The sessions that have a lease or run unseated.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Seatings {
    sessions: Slab<Sessions>,
    by_number: Index,
    /// Agents choose the numbers, so they are hashed with a key of this process; the standard hasher,
    /// made for texts, takes many times as long for two numbers.
    keyed: RandomState,
}

impl Seatings {
    fn of(&self, number: Number) -> Option<(u32, &Sessions)> {
        let is_it = |slot| {
            self.sessions
                .get(slot)
                .is_some_and(|it| it.number == number)
        };
        let slot = self.by_number.find(self.keyed.hash_one(number), is_it)?;
        Some((slot, self.sessions.get(slot)?))
    }

    pub(in crate::ledger) fn get(&self, key: &SessionKey) -> Option<&Seating> {
        let (_, sessions) = self.of((key.computer, key.session))?;
        let mut seatings = sessions.seatings.iter();
        let (_, seating) = seatings.find(|(of, _)| *of == key.incarnation)?;
        Some(seating)
    }

    pub(in crate::ledger) fn insert(&mut self, key: SessionKey, seating: Seating) {
        let number = (key.computer, key.session);
        let known = self.of(number).map(|(slot, _)| slot);
        let Some(sessions) = known.and_then(|slot| self.sessions.get_mut(slot)) else {
            return self.enter(number, (key.incarnation, seating));
        };
        let seatings = &mut sessions.seatings;
        match seatings.binary_search_by_key(&key.incarnation, |(of, _)| *of) {
            Ok(place) => seatings[place].1 = seating,
            Err(place) => seatings.insert(place, (key.incarnation, seating)),
        }
    }

    fn enter(&mut self, number: Number, first: (u64, Seating)) {
        let mut seatings = SmallVec::new();
        seatings.push(first);
        let slot = self.sessions.insert(Sessions { number, seatings });
        let (sessions, keyed) = (&self.sessions, &self.keyed);
        self.by_number.insert(keyed.hash_one(number), slot, |slot| {
            let number = sessions.get(slot).map(|sessions| sessions.number);
            number.map_or(0, |number| keyed.hash_one(number))
        });
    }

    pub(in crate::ledger) fn remove(&mut self, key: &SessionKey) {
        let number = (key.computer, key.session);
        let Some((slot, _)) = self.of(number) else {
            return;
        };
        if let Some(sessions) = self.sessions.get_mut(slot) {
            sessions.seatings.retain(|(of, _)| *of != key.incarnation);
            if !sessions.seatings.is_empty() {
                return;
            }
        }
        let hash = self.keyed.hash_one(number);
        self.by_number.remove(hash, |other| other == slot);
        self.sessions.remove(slot);
    }

    /// The session with the same number in the newest earlier incarnation.
    pub(in crate::ledger) fn former(&self, key: &SessionKey) -> Option<SessionKey> {
        let (_, sessions) = self.of((key.computer, key.session))?;
        let mut seatings = sessions.seatings.iter();
        let (incarnation, _) = seatings.rfind(|(of, _)| *of < key.incarnation)?;
        Some(SessionKey {
            incarnation: *incarnation,
            ..*key
        })
    }
}

impl PartialEq for Seatings {
    /// In which slots they lie says only in which order they came and went.
    fn eq(&self, other: &Seatings) -> bool {
        let is_there = |own: &Sessions| other.of(own.number).is_some_and(|(_, it)| it == own);
        self.sessions.len() == other.sessions.len() && self.sessions.iter().all(is_there)
    }
}
