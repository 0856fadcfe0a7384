//! Lives of the data that ended and of which everything is known.
//!
//! A restore that goes by the data file whose place it takes knows all leases of that file's life:
//! it keeps in the new file until when the last of them may be in use. From then on a copy of that
//! life, restored in the place of the new file, brings nothing that the new file does not know of.

use rusqlite::Connection;
use usher_core::ledger::{Incarnation, Steady};

use crate::base::meta;
use crate::tables::load::Loaded;

/// Under which name a file keeps them.
const ENDS: &str = "lives_ended";
/// How many are kept. A copy of a life that is forgotten waits as long as a lease can be.
const ENDS_LIMIT: usize = 64;

/// How far a life had gone when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    incarnation: Incarnation,
    /// The number that its next event would have had.
    next_number: u64,
    /// Its last instant.
    last: Steady,
}

impl End {
    fn of(loaded: &Loaded) -> End {
        End {
            incarnation: loaded.ledger.incarnation(),
            next_number: loaded.ledger.next_number(),
            last: loaded.last.steady,
        }
    }

    /// `INCARNATION:NUMBER:MILLISECONDS`.
    fn read(text: &str) -> Option<End> {
        let mut parts = text.split(':');
        let end = End {
            incarnation: Incarnation(parts.next()?.parse().ok()?),
            next_number: parts.next()?.parse().ok()?,
            last: Steady(parts.next()?.parse().ok()?),
        };
        parts.next().is_none().then_some(end)
    }

    fn text(&self) -> String {
        format!(
            "{}:{}:{}",
            self.incarnation.0, self.next_number, self.last.0
        )
    }
}

/// The lives of which everything is known, the latest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ends(Vec<End>);

impl Ends {
    /// Those that a file keeps. One that cannot be read is left out: that makes a wait longer only.
    pub(crate) fn kept_in(connection: &Connection) -> rusqlite::Result<Ends> {
        let text = meta::text(connection, ENDS)?.unwrap_or_default();
        Ok(Ends(text.split(' ').filter_map(End::read).collect()))
    }

    /// Keeps them in a file.
    pub(crate) fn keep_in(&self, connection: &Connection) -> rusqlite::Result<()> {
        let texts: Vec<String> = self.0.iter().map(End::text).collect();
        meta::put_text(connection, ENDS, &texts.join(" "))
    }

    /// Whether `copy` was made of one of them, before it ended.
    pub(crate) fn cover(&self, copy: &Loaded) -> bool {
        let copy = End::of(copy);
        self.0.iter().any(|end| {
            end.incarnation == copy.incarnation
                && end.next_number >= copy.next_number
                && end.last >= copy.last
        })
    }

    /// These and the life that was `loaded`, which ends now.
    pub(crate) fn and(mut self, loaded: &Loaded) -> Ends {
        self.add(End::of(loaded));
        self
    }

    /// These and the others.
    pub(crate) fn joined(mut self, others: &Ends) -> Ends {
        others.0.iter().for_each(|end| self.add(*end));
        self
    }

    /// If a life is known to have ended at two points, copies parted from each other, and only what
    /// is before both is known of either.
    fn add(&mut self, mut end: End) {
        let mut known = self.0.iter();
        if let Some(at) = known.position(|it| it.incarnation == end.incarnation) {
            let known = self.0.remove(at);
            end.next_number = end.next_number.min(known.next_number);
            end.last = end.last.min(known.last);
        }
        self.0.push(end);
        let beyond = self.0.len().saturating_sub(ENDS_LIMIT);
        self.0.drain(..beyond);
    }
}

#[cfg(test)]
mod tests;
