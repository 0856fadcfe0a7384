//! Starts of programs of no product: file names and how often, no user, no arguments, no path.
//!
//! Bounded: what starts when the table is full is counted under `(other)`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// Different names that are kept between two reports.
const NAMES_LIMIT: usize = 4_096;
/// Where starts are counted that found the table full.
const OTHER: &str = "(other)";

/// Starts since they were last taken.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    starts: FxHashMap<Arc<str>, u64>,
}

impl Counts {
    /// Counts starts.
    pub(crate) fn add(&mut self, name: &Arc<str>, starts: u64) {
        if let Some(known) = self.starts.get_mut(name) {
            *known += starts;
        } else if self.starts.len() < NAMES_LIMIT {
            self.starts.insert(name.clone(), starts);
        } else {
            *self.starts.entry(OTHER.into()).or_default() += starts;
        }
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// All counts, by name; counting begins anew.
    pub(crate) fn take(&mut self) -> Vec<(Arc<str>, u64)> {
        let mut counts: Vec<_> = std::mem::take(&mut self.starts).into_iter().collect();
        counts.sort_unstable();
        counts
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
        assert!(taken.contains(&(OTHER.into(), 10)));
        assert!(taken.contains(&("0".into(), 2)));
        assert!(counts.is_empty());
    }
}
