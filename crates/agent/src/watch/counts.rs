//! Programs of no product: their file names, how often each was started and for how long it ran; no
//! user, no arguments, no path.
//!
//! The table is bounded: when it is full, programs with new names are counted under `(other)`.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::identity::described::Described;

/// How many different names are kept between two reports.
const NAMES_LIMIT: usize = 4_096;
/// The name under which programs are counted when the table is full.
const OTHER: &str = "(other)";

/// What was seen since the last report, by name.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    seen: FxHashMap<Arc<str>, ProgramCount>,
    /// Names that were reported before it was known what people call the program.
    nameless: FxHashSet<Arc<str>>,
}

/// What was seen of one program.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ProgramCount {
    pub(crate) starts: u64,
    pub(crate) run_seconds: u64,
    pub(crate) described: Described,
}

impl Counts {
    /// Counts starts.
    pub(crate) fn add(&mut self, name: &Arc<str>, starts: u64) {
        self.of(name).starts += starts;
    }

    /// Adds to how long it ran.
    pub(crate) fn ran(&mut self, name: &Arc<str>, seconds: u64) {
        self.of(name).run_seconds += seconds;
    }

    /// Sets what people call a program: it is reported with the counts of it, or, if they are
    /// reported already, the next time.
    pub(crate) fn describe(&mut self, name: &Arc<str>, described: &Described) {
        if *described == Described::default() {
            return;
        }
        if self.seen.contains_key(name) || self.nameless.remove(name) {
            self.of(name).described.add(described);
        }
    }

    fn of(&mut self, name: &Arc<str>) -> &mut ProgramCount {
        let has_room = self.seen.len() < NAMES_LIMIT || self.seen.contains_key(name);
        let name = if has_room { name.clone() } else { OTHER.into() };
        self.seen.entry(name).or_default()
    }

    /// Whether there is nothing to report.
    pub(crate) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Takes all that was seen, by name; counting starts again at 0.
    pub(crate) fn take(&mut self) -> Vec<(Arc<str>, ProgramCount)> {
        let mut seen: Vec<_> = std::mem::take(&mut self.seen).into_iter().collect();
        seen.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let nameless = seen
            .iter()
            .filter(|(_, it)| it.described == Described::default());
        for (name, _) in nameless {
            if self.nameless.len() < NAMES_LIMIT {
                self.nameless.insert(name.clone());
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_is_called_is_told_with_its_starts_or_after_them_once() {
        let mut counts = Counts::default();
        let cad: Arc<str> = "cad".into();
        let described = Described {
            package: Some("cad".into()),
            desktop_name: Some("CAD".into()),
        };
        counts.describe(&cad, &described);
        assert!(counts.is_empty(), "it was not seen");
        counts.add(&cad, 1);
        counts.describe(&cad, &described);
        counts.ran(&cad, 7);
        let seen = |starts, run_seconds| ProgramCount {
            starts,
            run_seconds,
            described: described.clone(),
        };
        assert_eq!(counts.take(), [(cad.clone(), seen(1, 7))]);
        counts.describe(&cad, &described);
        assert!(counts.is_empty(), "it is told already");
        let sim: Arc<str> = "sim".into();
        counts.add(&sim, 1);
        assert_eq!(counts.take()[0].1.described, Described::default());
        counts.describe(&sim, &described);
        assert_eq!(counts.take(), [(sim, seen(0, 0))]);
    }

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
