//! When people were granted seats.

use rustc_hash::FxHashMap;

/// When each person was granted seats, the earliest first, in Unix milliseconds.
pub(super) struct Granted(FxHashMap<u64, Vec<i64>>);

impl Granted {
    pub(super) fn of(granted: impl IntoIterator<Item = (u64, i64)>) -> Granted {
        let mut of: FxHashMap<u64, Vec<i64>> = FxHashMap::default();
        for (person, at_ms) in granted {
            of.entry(person).or_default().push(at_ms);
        }
        of.values_mut().for_each(|times| times.sort_unstable());
        Granted(of)
    }

    /// `i64::MAX` if there is none.
    pub(super) fn first_after(&self, person: u64, ms: i64) -> i64 {
        let times = self.0.get(&person).map_or(&[][..], |times| times);
        let next = times.partition_point(|at_ms| *at_ms <= ms);
        times.get(next).copied().unwrap_or(i64::MAX)
    }
}
