//! The main events of a history. Bounded: the first and the last are kept, those between are
//! counted.

use std::collections::VecDeque;

use serde::Serialize;

/// Most moments that are kept from the beginning, and again from the end.
const KEPT: usize = 18;

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Milliseconds since the beginning, on the clock that nobody sets.
    pub at_ms: u64,
    /// What the wall clock shows there.
    pub time: String,
    /// To which installation it happened.
    pub who: &'static str,
    /// What happened, in words for people.
    pub what: String,
}

/// The moments of one installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Timeline {
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    left_out: u64,
}

impl Timeline {
    pub(crate) fn add(&mut self, entry: Entry) {
        if self.first.len() < KEPT {
            return self.first.push(entry);
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(entry);
    }

    /// How many are not in [`Timeline::into_entries`].
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(crate) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.first.into_iter().chain(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_moments_the_first_and_the_last_are_kept_and_the_others_counted() {
        let mut timeline = Timeline::default();
        for at_ms in 0..100 {
            timeline.add(Entry {
                at_ms,
                time: String::new(),
                who: "Usher",
                what: String::new(),
            });
        }
        assert_eq!(timeline.left_out(), 100 - 2 * KEPT as u64);
        let kept: Vec<u64> = timeline.into_entries().map(|entry| entry.at_ms).collect();
        assert_eq!(kept.len(), 2 * KEPT);
        assert_eq!(
            (kept[0], kept[KEPT - 1], kept[KEPT], kept[2 * KEPT - 1]),
            (0, 17, 82, 99)
        );
    }
}
