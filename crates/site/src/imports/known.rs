//! The rows that a key has, and what becomes of one more: the same in every engine.

use super::Became;

/// A row that counts, or will when its import is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The number of the row: a later one has a higher one.
    pub(crate) number: i64,
    /// How much it says.
    pub(crate) rank: i64,
}

/// The rows that a key has, as an import sees them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// The number of the import's own.
    pub(crate) own: Option<i64>,
    /// How many there are of other imports, whatever became of these.
    pub(crate) others: usize,
    /// What says most, of what counts now and of the import's own.
    best: Option<Kept>,
    /// Those of other imports that count now, the first first.
    counting: Vec<Kept>,
}

impl Known {
    /// Notes a row, in the order of the numbers.
    pub(crate) fn note(&mut self, kept: Kept, is_own: bool, is_finished: bool) {
        match is_own {
            true => self.own = Some(kept.number),
            false => self.others = self.others.saturating_add(1),
        }
        if is_finished && !is_own {
            self.counting.push(kept);
        }
        if (is_own || is_finished) && self.is_more(kept.rank) {
            self.best = Some(kept);
        }
    }

    /// Whether a row of that rank says more than what is known.
    pub(crate) fn is_more(&self, rank: i64) -> bool {
        self.best.is_none_or(|best| rank > best.rank)
    }

    /// What a row that says more is.
    pub(crate) fn becomes(&self) -> Became {
        match self.best {
            None => Became::Added,
            Some(_) => Became::Completed,
        }
    }

    /// The numbers of what counts between the first and what says most of what counts: once a row says
    /// more they are forgotten, or a use that is seen again and again would get a row each time.
    pub(crate) fn between(&self) -> Vec<i64> {
        let best = self.counting.iter().max_by_key(|kept| kept.rank);
        let between = self.counting.iter().skip(1);
        let others = between.filter(|kept| Some(*kept) != best);
        others.map(|kept| kept.number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(rows: &[(i64, bool, bool)]) -> Known {
        let mut known = Known::default();
        for (number, (rank, is_own, is_finished)) in (1_i64..).zip(rows) {
            let kept = Kept {
                number,
                rank: *rank,
            };
            known.note(kept, *is_own, *is_finished);
        }
        known
    }

    #[test]
    fn what_is_not_finished_is_not_known_but_to_its_own_import() {
        let open = known(&[(7, false, false)]);
        assert!(open.is_more(1));
        assert_eq!((open.becomes(), open.others), (Became::Added, 1));
        let own = known(&[(7, true, false)]);
        assert!(!own.is_more(7) && own.is_more(8));
        assert_eq!((own.becomes(), own.own), (Became::Completed, Some(1)));
    }

    #[test]
    fn the_first_and_the_best_of_what_counts_are_kept() {
        let rows = [(5, false, true), (8, false, true), (9, false, true)];
        assert_eq!(known(&rows).between(), [2]);
        let rows = [(9, false, true), (8, false, true), (5, false, false)];
        assert_eq!(known(&rows).between(), [2]);
        let rows = [(5, false, true), (8, false, true)];
        assert_eq!(known(&rows).between(), [0_i64; 0]);
    }
}
