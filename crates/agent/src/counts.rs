//! Programs of no product: file names, how often each was started and for how long it ran; no user,
//! no arguments, no path.
//!
//! Bounded: what starts when the table is full is counted under `(other)`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// Different names that are kept between two reports.
const NAMES_LIMIT: usize = 4_096;
/// Where starts are counted that found the table full.
const OTHER: &str = "(other)";

/// What was seen since it was last taken, by name.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    seen: FxHashMap<Arc<str>, Seen>,
}

/// What was seen of one program.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) starts: u64,
    pub(crate) run_seconds: u64,
    pub(crate) described: Described,
}

/// What people know a program by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// The package that its file came with.
    pub(crate) package: Option<Arc<str>>,
    /// What desktops show it as.
    pub(crate) desktop_name: Option<Arc<str>>,
}

/// A program that ran since the last look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) program: Arc<str>,
    pub(crate) seconds: u64,
    pub(crate) described: Described,
}

impl Counts {
    /// Counts starts.
    pub(crate) fn add(&mut self, name: &Arc<str>, starts: u64) {
        self.of(name).starts += starts;
    }

    /// Counts for how long it ran.
    pub(crate) fn ran(&mut self, ran: &Ran) {
        let seen = self.of(&ran.program);
        seen.run_seconds += ran.seconds;
        seen.described = ran.described.clone();
    }

    fn of(&mut self, name: &Arc<str>) -> &mut Seen {
        let has_room = self.seen.len() < NAMES_LIMIT || self.seen.contains_key(name);
        let name = if has_room { name.clone() } else { OTHER.into() };
        self.seen.entry(name).or_default()
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// All that was seen, by name; counting starts at nothing again.
    pub(crate) fn take(&mut self) -> Vec<(Arc<str>, Seen)> {
        let mut seen: Vec<_> = std::mem::take(&mut self.seen).into_iter().collect();
        seen.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_counts_the_rest_together() {
        let mut counts = Counts::default();
        for n in 0..NAMES_LIMIT + 10 {
            counts.add(&n.to_string().into(), 1);
        }
        counts.add(&"0".into(), 1);
        let taken = counts.take();
        assert_eq!(taken.len(), NAMES_LIMIT + 1);
        let starts = |name: &str| {
            let of_name = taken.iter().find(|(taken, _)| **taken == *name);
            of_name.map(|(_, seen)| seen.starts)
        };
        assert_eq!(starts(OTHER), Some(10));
        assert_eq!(starts("0"), Some(2));
        assert!(counts.is_empty());
    }
}
