//! What a policy means for the seats of a product, by date.

use std::collections::BTreeMap;

use super::terms::Terms;
use super::whole::Policy;
use crate::ledger::Wall;

/// How many seats of a product may be in use, overdraft included, from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// From when; none: now.
    pub from: Option<Wall>,
    /// By the one policy.
    pub before: u64,
    /// By the other.
    pub after: u64,
}

/// By the ids of the products whose seats differ, now or later: how many may be in use by the one
/// policy and by the other, now and from each instant on at which that changes.
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

/// Seats that come and go, of both policies.
#[derive(Default)]
struct Line {
    now: [u64; 2],
    /// What comes and what goes at an instant to come.
    edges: BTreeMap<Wall, [(u64, u64); 2]>,
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
            Some(begins) => self.edges.entry(begins).or_default()[side].0 += terms.usable(),
        }
        if let Some(ends) = ends {
            self.edges.entry(ends).or_default()[side].1 += terms.usable();
        }
    }

    fn steps(self) -> Vec<Step> {
        let [mut before, mut after] = self.now;
        let mut steps = vec![Step {
            from: None,
            before,
            after,
        }];
        for (at, [of_before, of_after]) in self.edges {
            let is = (before, after);
            before = (before + of_before.0).saturating_sub(of_before.1);
            after = (after + of_after.0).saturating_sub(of_after.1);
            if (before, after) != is {
                steps.push(Step {
                    from: Some(at),
                    before,
                    after,
                });
            }
        }
        steps
    }
}
