//! What agents' sessions have: a lease, or no seat.
//!
//! A session is its number within one incarnation of its agent. The state of an agent may be
//! rolled back (a virtual machine's snapshot); its numbers then come again for other programs, in
//! a new incarnation. So what a number has is kept for each incarnation.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::ledger::words::ids::ComputerId;
use crate::ledger::words::ids::EventNumber;
use crate::ledger::words::records::{SessionKey, Unseated};

/// What an agent's session has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) enum Seating {
    /// This lease, by its number.
    Lease(EventNumber),
    /// No seat.
    Unseated(Unseated),
}

/// An incarnation, and what the session of a number has in it.
type InIncarnation = (u64, Seating);

/// The sessions that have something, by number; of one number in the order of incarnations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Seatings {
    /// Agents choose the numbers, so they are hashed under a key of this process.
    by_number: HashMap<(ComputerId, u64), SmallVec<[InIncarnation; 1]>>,
}

impl Seatings {
    pub(in crate::ledger) fn get(&self, key: &SessionKey) -> Option<&Seating> {
        let seatings = self.by_number.get(&(key.computer, key.session))?;
        let (_, seating) = seatings.iter().find(|(of, _)| *of == key.incarnation)?;
        Some(seating)
    }

    pub(in crate::ledger) fn insert(&mut self, key: SessionKey, seating: Seating) {
        let number = (key.computer, key.session);
        let seatings = self.by_number.entry(number).or_default();
        match seatings.binary_search_by_key(&key.incarnation, |(of, _)| *of) {
            Ok(place) => seatings[place].1 = seating,
            Err(place) => seatings.insert(place, (key.incarnation, seating)),
        }
    }

    pub(in crate::ledger) fn remove(&mut self, key: &SessionKey) {
        let number = (key.computer, key.session);
        if let Some(seatings) = self.by_number.get_mut(&number) {
            seatings.retain(|(of, _)| *of != key.incarnation);
            if seatings.is_empty() {
                self.by_number.remove(&number);
            }
        }
    }

    /// The session of the same number in the newest incarnation before.
    pub(in crate::ledger) fn former(&self, key: &SessionKey) -> Option<SessionKey> {
        let seatings = self.by_number.get(&(key.computer, key.session))?;
        let (incarnation, _) = seatings.iter().rfind(|(of, _)| *of < key.incarnation)?;
        Some(SessionKey {
            incarnation: *incarnation,
            ..*key
        })
    }
}
