//! Numbers that are known, as ranges: of those that follow one another there is one.

use std::collections::BTreeMap;

/// The last number of each range, by its first. No range is next to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<i64, i64>);

/// What becomes of ranges that are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    /// The first numbers of those that are no more.
    pub(crate) removed: Vec<i64>,
    /// First and last number of those that are new, or end otherwise.
    pub(crate) put: Vec<(i64, i64)>,
}

impl Ranges {
    /// Takes in a range that was kept.
    pub(crate) fn know(&mut self, first: i64, last: i64) {
        self.0.insert(first, last);
    }

    /// Adds a number; whether it was not there.
    pub(crate) fn add(&mut self, number: i64) -> bool {
        let before = self.0.range(..=number).next_back();
        let before = before.map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| number <= last) {
            return false;
        }
        let next = number.checked_add(1);
        let last = next.and_then(|next| self.0.remove(&next));
        let first = before.filter(|(_, last)| last.checked_add(1) == Some(number));
        let first = first.map_or(number, |(first, _)| first);
        self.0.insert(first, last.unwrap_or(number));
        true
    }

    /// What has to be done to those that were `before` for them to be these.
    pub(crate) fn since(&self, before: &Ranges) -> Differences {
        let removed = before.0.keys().filter(|first| !self.0.contains_key(first));
        let put = self.0.iter();
        let put = put.filter(|(first, last)| before.0.get(first) != Some(last));
        Differences {
            removed: removed.copied().collect(),
            put: put.map(|(first, last)| (*first, *last)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_follow_one_another_are_one_range() {
        let mut ranges = Ranges::default();
        for number in [5, 7, 6, 1, i64::MAX, i64::MIN] {
            assert!(ranges.add(number), "{number}");
            assert!(!ranges.add(number), "{number}");
        }
        let expected = [(i64::MIN, i64::MIN), (1, 1), (5, 7), (i64::MAX, i64::MAX)];
        assert_eq!(ranges.0.clone().into_iter().collect::<Vec<_>>(), expected);
        let mut later = ranges.clone();
        for number in [8, 2, 3, 4] {
            assert!(later.add(number), "{number}");
        }
        let differences = Differences {
            removed: vec![5],
            put: vec![(1, 8)],
        };
        assert_eq!(later.since(&ranges), differences);
    }

    proptest! {
        #[test]
        fn each_number_is_new_once(numbers in proptest::collection::vec(0_i64..40, 0..80)) {
            let (mut ranges, mut all) = (Ranges::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(ranges.add(number), all.insert(number));
            }
            let found: Vec<i64> = ranges.0.iter().flat_map(|(first, last)| *first..=*last).collect();
            prop_assert!(found.into_iter().eq(all));
            let mut ends = ranges.0.iter().zip(ranges.0.iter().skip(1));
            prop_assert!(ends.all(|((_, last), (next, _))| last + 1 < *next));
        }
    }
}
