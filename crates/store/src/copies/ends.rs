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
mod tests {
    use super::*;

    fn end(incarnation: u32, next_number: u64, last: u64) -> End {
        End {
            incarnation: Incarnation(incarnation),
            next_number,
            last: Steady(last),
        }
    }

    fn of(ends: &[End]) -> Ends {
        let mut all = Ends::default();
        ends.iter().for_each(|end| all.add(*end));
        all
    }

    #[test]
    fn ends_come_back_from_the_file_that_keeps_them_but_for_what_cannot_be_read() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL)")
            .unwrap();
        assert_eq!(Ends::kept_in(&connection).unwrap(), Ends::default());
        let ends = of(&[end(7, 40, 900), end(u32::MAX, u64::MAX, u64::MAX)]);
        ends.keep_in(&connection).unwrap();
        assert_eq!(Ends::kept_in(&connection).unwrap(), ends);
        for text in ["", "7", "7:40", "7:40:900:1", "x:40:900", "7:-1:900"] {
            meta::put_text(&connection, ENDS, &format!("{text} 8:1:2")).unwrap();
            let read = Ends::kept_in(&connection).unwrap();
            assert_eq!(read, of(&[end(8, 1, 2)]), "{text:?}");
        }
    }

    #[test]
    fn of_two_ends_of_a_life_the_earlier_counts_and_the_oldest_lives_are_forgotten() {
        let joined = of(&[end(1, 50, 900), end(2, 60, 950)]).joined(&of(&[end(1, 70, 800)]));
        assert_eq!(joined, Ends(vec![end(2, 60, 950), end(1, 50, 800)]));
        let many: Vec<End> = (0..100).map(|number| end(number, 1, 1)).collect();
        let kept = of(&many);
        assert_eq!(kept.0.len(), ENDS_LIMIT);
        assert_eq!(kept.0.last(), many.last());
    }
}
