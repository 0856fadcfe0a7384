//! For how long each level lasted: what p95 and the mean are made of.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::edge::Edge;
use super::gaps::Gaps;
use super::node::Node;

/// The milliseconds that were observed at each level. As a roll-up it is made over a level of 0,
/// and is added to a longer one over the level at its beginning; it has at most one level more
/// than edges. What was not observed is no part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    at: BTreeMap<i64, u64>,
}

impl Tally {
    /// Of `from_ms` to `to_ms`, whose edges are in their order, with `opening` seats in use before.
    pub fn of<'a>(
        opening: i64,
        (from_ms, to_ms): (i64, i64),
        edges: impl Iterator<Item = &'a Edge>,
        gaps: &Gaps,
    ) -> Tally {
        let mut counting = Counting::default();
        counting.go_on(opening, (from_ms, to_ms), edges, gaps);
        counting.tally()
    }

    /// Of `from_ms` to `to_ms` from a roll-up: the nodes between them in order, each with its tally
    /// over a level of 0. Between two nodes nothing changes.
    pub fn joined<'a>(
        opening: i64,
        (from_ms, to_ms): (i64, i64),
        nodes: impl IntoIterator<Item = (&'a Node, &'a Tally)>,
        gaps: &Gaps,
    ) -> Tally {
        let mut tally = Tally::default();
        let (mut level, mut since_ms) = (opening, from_ms);
        for (node, of_node) in nodes {
            tally.add(level, gaps.observed_ms(since_ms, node.from_ms));
            tally.add_over(level, of_node);
            level = level.saturating_add(node.change);
            since_ms = node.to_ms;
        }
        tally.add(level, gaps.observed_ms(since_ms, to_ms));
        tally
    }

    fn add(&mut self, level: i64, ms: u64) {
        if ms > 0 {
            let at = self.at.entry(level).or_default();
            *at = at.saturating_add(ms);
        }
    }

    /// Adds one that was made over a level of 0, over the level that it has here.
    pub fn add_over(&mut self, opening: i64, other: &Tally) {
        for (level, ms) in &other.at {
            self.add(level.saturating_add(opening), *ms);
        }
    }

    /// Each level with its milliseconds, the lowest first.
    pub fn levels(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.at.iter().map(|(level, ms)| (*level, *ms))
    }

    /// Milliseconds that were observed.
    pub fn observed_ms(&self) -> u64 {
        self.at.values().copied().fold(0, u64::saturating_add)
    }

    /// The smallest level that is not exceeded for 95 % of the time that was observed; 0 if none
    /// was.
    pub fn p95(&self) -> u64 {
        let all = u128::from(self.observed_ms());
        let mut passed = 0_u128;
        for (level, ms) in &self.at {
            passed += u128::from(*ms);
            if passed * 100 >= all * 95 {
                return u64::try_from(*level).unwrap_or(0);
            }
        }
        0
    }

    /// Seat seconds by seconds, of the time that was observed; 0 if none was.
    pub fn mean(&self) -> f64 {
        let seat_ms = self.at.iter().fold(0_i128, |sum, (level, ms)| {
            sum.saturating_add(i128::from(*level).saturating_mul(i128::from(*ms)))
        });
        match self.observed_ms() {
            0 => 0.0,
            observed_ms => seat_ms.max(0) as f64 / observed_ms as f64,
        }
    }
}

/// A tally that is being made: levels come by the million, and their order is only needed at the end.
#[derive(Debug, Default)]
pub(super) struct Counting(FxHashMap<i64, u64>);

impl Counting {
    /// Adds `from_ms` to `to_ms`, with `level` seats in use before.
    pub(super) fn go_on<'a>(
        &mut self,
        mut level: i64,
        (from_ms, to_ms): (i64, i64),
        edges: impl IntoIterator<Item = &'a Edge>,
        gaps: &Gaps,
    ) {
        let mut since_ms = from_ms;
        for edge in edges {
            self.add(level, gaps.observed_ms(since_ms, edge.at_ms));
            since_ms = since_ms.max(edge.at_ms);
            level = level.saturating_add(edge.seats_change());
        }
        self.add(level, gaps.observed_ms(since_ms, to_ms));
    }

    /// Adds levels that were counted over a level of 0, over the level that they have here.
    pub(super) fn add_over(&mut self, opening: i64, levels: impl IntoIterator<Item = (i64, u64)>) {
        for (level, ms) in levels {
            self.add(level.saturating_add(opening), ms);
        }
    }

    fn add(&mut self, level: i64, ms: u64) {
        if ms > 0 {
            let at = self.0.entry(level).or_default();
            *at = at.saturating_add(ms);
        }
    }

    /// What was counted.
    pub(super) fn tally(self) -> Tally {
        Tally {
            at: self.0.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(of: &[(i64, u64)]) -> Tally {
        let mut tally = Tally::default();
        of.iter().for_each(|(level, ms)| tally.add(*level, *ms));
        tally
    }

    #[test]
    fn what_is_exceeded_for_five_percent_is_p95_and_for_more_it_is_not() {
        assert_eq!(tally(&[(2, 95), (9, 5)]).p95(), 2);
        assert_eq!(tally(&[(2, 94), (9, 6)]).p95(), 9);
        assert_eq!(tally(&[(0, 100)]).p95(), 0);
        assert_eq!(tally(&[]).p95(), 0);
    }

    #[test]
    fn a_mean_is_of_what_was_observed() {
        assert_eq!(tally(&[(2, 30), (8, 10)]).mean(), 3.5);
        assert_eq!(tally(&[]).mean(), 0.0);
    }

    #[test]
    fn a_tally_is_added_over_the_level_that_it_has() {
        let mut sum = tally(&[(3, 10)]);
        sum.add_over(4, &tally(&[(-1, 5), (0, 7)]));
        assert_eq!(sum, tally(&[(3, 15), (4, 7)]));
    }
}
