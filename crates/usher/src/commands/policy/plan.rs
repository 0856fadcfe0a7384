//! What an application would do: the difference between files and a server, what stands in its way,
//! and what it means.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use usher_core::ledger::Wall;
use usher_core::policy::{
    Change, Difference, Policy, Read, Step, Terms, difference, is_servers_own, steps,
};

use super::held::Held;
use crate::failure::Failure;
use crate::output::tame;

/// A difference, with what follows from it.
#[derive(Debug)]
pub(super) struct Plan {
    /// What is to be made, in order.
    pub(super) difference: Difference,
    /// What only the server has, and keeps.
    pub(super) left: Vec<Change>,
    /// Seats by date, of products whose seats would differ.
    pub(super) seats: BTreeMap<String, Vec<Step>>,
    /// Why it cannot be applied, each a sentence.
    pub(super) obstacles: Vec<String>,
    /// What may be meant otherwise, each a sentence.
    pub(super) doubts: Vec<String>,
}

impl Plan {
    /// What would make a server as `read` says; with `prune` it loses what `read` does not have.
    pub(super) fn of(held: &Held, read: &Read, prune: bool, now: Timestamp) -> Plan {
        let whole = difference(&held.policy, &read.policy, &read.renamed);
        let (difference, left) = match prune {
            true => (whole, Vec::new()),
            false => whole.without_removals(),
        };
        let after = difference.applied_to(&held.policy);
        let now = Wall(now.as_millisecond());
        Plan {
            obstacles: obstacles(&difference, read),
            doubts: doubts(&difference, &left),
            seats: steps(&held.policy, &after, now),
            difference,
            left,
        }
    }

    /// The failure of a plan that cannot be applied, with each reason on a line below `what`.
    pub(super) fn refusal(&self, what: &str) -> Option<Failure> {
        let lines: Vec<String> = self
            .obstacles
            .iter()
            .map(|it| format!("\n  {}", tame(it)))
            .collect();
        (!lines.is_empty()).then(|| Failure::usage(format!("{what}:{}", lines.concat())))
    }

    /// The policy that the server would have.
    pub(super) fn result(&self, held: &Held) -> Policy {
        self.difference.applied_to(&held.policy)
    }
}

fn obstacles(difference: &Difference, read: &Read) -> Vec<String> {
    let placed = |name: &str| match read.entitlement_places.get(name) {
        Some(place) => format!("{name} ({place})"),
        None => name.to_owned(),
    };
    let mut found = Vec::new();
    for change in &difference.changes {
        match change {
            Change::AddEntitlement { name, .. } if is_servers_own(name) => found.push(format!(
                "{}: a server gives such names by itself, and this one has no {name}: give it a \
                 name of its own",
                placed(name)
            )),
            Change::ChangeEntitlement {
                name, was: Some(_), ..
            } if is_servers_own(name) => found.push(format!(
                "{}: a server gives such names by itself: choose another",
                placed(name)
            )),
            Change::ChangeEntitlement { name, fields, .. }
                if fields.iter().any(|field| field.key == "product") =>
            {
                found.push(format!(
                    "{}: on the server it is of another product, and an entitlement keeps its \
                     product: give this one a name of its own",
                    placed(name)
                ));
            }
            _ => {}
        }
    }
    found
}

/// New entitlements that look like one that the server keeps beside them: their seats would count
/// twice.
fn doubts(difference: &Difference, left: &[Change]) -> Vec<String> {
    let key = |terms: &Terms| {
        (
            terms.product.clone(),
            format!("{:?}", (&terms.from, &terms.to)),
        )
    };
    let mut kept: BTreeMap<(String, String), &str> = BTreeMap::new();
    for change in left {
        if let Change::RemoveEntitlement { name, terms } = change {
            kept.insert(key(terms), name);
        }
    }
    let mut told = BTreeSet::new();
    let mut doubts = Vec::new();
    for change in &difference.changes {
        let Change::AddEntitlement { name, terms } = change else {
            continue;
        };
        let Some(other) = kept.get(&key(terms)).filter(|other| told.insert(**other)) else {
            continue;
        };
        doubts.push(format!(
            "{name} is of the same product and dates as {other}, which the server keeps: both would \
             count. If it is the same, say was = \"{other}\" beside its name."
        ));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(owned: &[(&str, Terms)]) -> Read {
        let mut read = Read::default();
        read.policy
            .products
            .insert("cad".into(), usher_core::policy::Product::default());
        for (name, terms) in owned {
            read.policy
                .entitlements
                .insert((*name).to_owned(), terms.clone());
        }
        read
    }

    fn plan(have: &[(&str, Terms)], want: &[(&str, Terms)]) -> Plan {
        let (have, want) = (read(have).policy, read(want));
        let (difference, left) = difference(&have, &want.policy, &want.renamed).without_removals();
        Plan {
            obstacles: obstacles(&difference, &want),
            doubts: doubts(&difference, &left),
            seats: BTreeMap::new(),
            difference,
            left,
        }
    }

    #[test]
    fn what_cannot_be_applied_is_said_before_anything_is_written() {
        let plan = plan(
            &[("moved", Terms::of("cae", 1))],
            &[
                ("E12", Terms::of("cad", 1)),
                ("none", Terms::of("cad", 0)),
                ("moved", Terms::of("cad", 1)),
                ("fine", Terms::of("cad", 1)),
            ],
        );
        insta::assert_snapshot!(plan.obstacles.join("\n"), @r"
        E12: a server gives such names by itself, and this one has no E12: give it a name of its own
        moved: on the server it is of another product, and an entitlement keeps its product: give this one a name of its own
        ");
    }

    #[test]
    fn seats_that_would_count_twice_are_asked_about() {
        let same = |seats| Terms::of("cad", seats);
        let plan = plan(&[("E12", same(10))], &[("cad-2026", same(12))]);
        insta::assert_snapshot!(plan.doubts.join("\n"), @r#"cad-2026 is of the same product and dates as E12, which the server keeps: both would count. If it is the same, say was = "E12" beside its name."#);
        assert_eq!(plan.left.len(), 1);
    }
}
