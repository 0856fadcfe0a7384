//! How many seats of a product two policies allow, by date.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::terms::Terms;
use super::whole::Policy;
use crate::ledger::{Bound, Wall};

/// How many seats of a product may be in use from an instant on, overdraft included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The instant; none: now.
    pub from: Option<Wall>,
    /// The day that begins at that instant and its time zone, if a day was given.
    pub day: Option<(Date, Arc<str>)>,
    /// Seats by the policy before.
    pub before: u64,
    /// Seats by the policy after.
    pub after: u64,
}

/// For each product whose seats differ, now or later: how many may be in use by either policy, now
/// and from each instant at which that changes.
pub fn steps(before: &Policy, after: &Policy, now: Wall) -> BTreeMap<String, Vec<Step>> {
    let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
    for (policy, side) in [(before, Side::Before), (after, Side::After)] {
        for terms in policy.entitlements.values() {
            let line = lines.entry(&terms.product).or_default();
            line.add(terms, side, now);
        }
    }
    let steps = lines
        .into_iter()
        .map(|(product, line)| (product.to_owned(), line.steps()));
    let differs = |steps: &[Step]| steps.iter().any(|step| step.before != step.after);
    steps.filter(|(_, steps)| differs(steps)).collect()
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// The seats of a product over time, by both policies.
#[derive(Default)]
struct Line {
    now: [u64; 2],
    edges: BTreeMap<Wall, Edge>,
}

/// The seats that come and go at a future instant, by both policies.
#[derive(Default)]
struct Edge {
    counts: [(u64, u64); 2],
    day: Option<(Date, Arc<str>)>,
}

/// The first day of a validity, if a day was given.
fn first_day(from: &Bound) -> Option<(Date, Arc<str>)> {
    Some((from.date()?, from.zone()?.clone()))
}

/// The day after a validity, if its end was given as a day.
fn next_day(to: &Bound) -> Option<(Date, Arc<str>)> {
    Some((to.date()?.tomorrow().ok()?, to.zone()?.clone()))
}

impl Line {
    fn add(&mut self, terms: &Terms, side: Side, now: Wall) {
        let side = side as usize;
        let begins = terms.from.as_ref().map(|from| from.begins());
        let ends = terms.to.as_ref().map(|to| to.ends());
        if ends.is_some_and(|ends| ends <= now) {
            return;
        }
        match begins.filter(|begins| *begins > now) {
            None => self.now[side] += terms.usable(),
            Some(begins) => {
                let edge = self.edges.entry(begins).or_default();
                edge.counts[side].0 += terms.usable();
                edge.day = edge.day.take().or(terms.from.as_ref().and_then(first_day));
            }
        }
        if let Some(ends) = ends {
            let edge = self.edges.entry(ends).or_default();
            edge.counts[side].1 += terms.usable();
            edge.day = edge.day.take().or(terms.to.as_ref().and_then(next_day));
        }
    }

    fn steps(self) -> Vec<Step> {
        let [mut before, mut after] = self.now;
        let mut steps = vec![Step {
            from: None,
            day: None,
            before,
            after,
        }];
        for (at, edge) in self.edges {
            let [of_before, of_after] = edge.counts;
            let is = (before, after);
            before = (before + of_before.0).saturating_sub(of_before.1);
            after = (after + of_after.0).saturating_sub(of_after.1);
            if (before, after) != is {
                steps.push(Step {
                    from: Some(at),
                    day: edge.day,
                    before,
                    after,
                });
            }
        }
        steps
    }
}
