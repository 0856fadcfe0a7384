//! How long seats were held by those who were granted them: from these is drawn how long somebody
//! who was refused would have held one.

use rustc_hash::FxHashMap;

use crate::replay::chance::below;

/// Milliseconds that a seat is taken to be held if no recorded use says how long any was held.
pub(super) const WITHOUT_ANY_MS: u64 = 3_600_000;

/// Which uses an ask draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    first: usize,
    count: usize,
}

/// The lengths of all recorded uses that have ended.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    /// In milliseconds; those of one person side by side.
    all_ms: Vec<u64>,
    of_person: FxHashMap<u64, Source>,
}

impl Lengths {
    /// Of persons and milliseconds, in any order.
    pub(super) fn of(uses: impl IntoIterator<Item = (u64, u64)>) -> Lengths {
        let mut uses: Vec<(u64, u64)> = uses.into_iter().collect();
        uses.sort_unstable();
        let mut of_person: FxHashMap<u64, Source> = FxHashMap::default();
        for (place, (person, _)) in uses.iter().enumerate() {
            let source = of_person.entry(*person).or_insert(Source {
                first: place,
                count: 0,
            });
            source.count += 1;
        }
        Lengths {
            all_ms: uses.into_iter().map(|(_, ms)| ms).collect(),
            of_person,
        }
    }

    /// The person's own uses; of who has none, everybody's.
    pub(super) fn source(&self, person: u64) -> Source {
        let own = self.of_person.get(&person).copied();
        own.unwrap_or(Source {
            first: 0,
            count: self.all_ms.len(),
        })
    }

    /// The length that a random number picks, in milliseconds.
    pub(super) fn pick_ms(&self, source: Source, number: u64) -> u64 {
        let place = source.first.saturating_add(below(number, source.count));
        self.all_ms.get(place).copied().unwrap_or(WITHOUT_ANY_MS)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all_ms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_uses_draws_from_them_and_who_has_none_from_all() {
        let lengths = Lengths::of([(1, 10), (2, 20), (1, 30)]);
        let picked = |person, number| lengths.pick_ms(lengths.source(person), number);
        assert_eq!((picked(1, 0), picked(1, u64::MAX)), (10, 30));
        assert_eq!((picked(2, 0), picked(2, u64::MAX)), (20, 20));
        assert_eq!((picked(3, 0), picked(3, u64::MAX)), (10, 20));
        let none = Lengths::default();
        assert_eq!(none.pick_ms(none.source(1), 5), WITHOUT_ANY_MS);
    }
}
