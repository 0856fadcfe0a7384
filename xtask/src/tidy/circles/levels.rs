//! Who needs whom at each level of a crate, and the circles there.
//!
//! A level is the modules right below one, each with all that is in it. What a module names counts
//! at the level at which its path and that of what it names part.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Modules, Named};
use super::names::{Names, Target};

/// A place at which one module names something of another: the first in its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tie {
    pub(super) file: String,
    pub(super) line: usize,
    /// What is named, from the crate's root.
    pub(super) item: String,
}

/// By who names and what is named.
pub(super) type Ties = BTreeMap<(usize, usize), Vec<Tie>>;

/// Modules of one level that need each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Circle {
    /// The module below which they are, such as `crate::ledger`.
    pub(super) level: String,
    /// Their names there, sorted.
    pub(super) members: Vec<String>,
    /// Between two of them each, by names; those of few places first.
    pub(super) ties: Vec<(String, String, Vec<Tie>)>,
}

/// Who needs whom, by the module below which both are.
pub(super) fn ties(modules: &Modules) -> BTreeMap<usize, Ties> {
    let names = Names::new(modules);
    let mut levels: BTreeMap<usize, Ties> = BTreeMap::new();
    for (from, module) in modules.0.iter().enumerate() {
        let imports = module.imports.iter().map(|import| &import.path);
        // A single name in code is no module: it is a variable that is called like one.
        let in_code = |named: &&Named| {
            let is_module = |target: Target| target.item.is_none();
            named.segments.len() > 1 || !names.target(from, named).is_some_and(is_module)
        };
        for named in imports.chain(module.names.iter().filter(in_code)) {
            let Some(target) = names.target(from, named) else {
                continue;
            };
            let item = match &target.item {
                Some(item) => format!("{}::{item}", modules.path(target.module)),
                None => modules.path(target.module),
            };
            for to in target.via.into_iter().chain([target.module]) {
                let Some((level, from, to)) = modules.parting(from, to) else {
                    continue;
                };
                let tie = Tie {
                    file: module.file.clone(),
                    line: named.line,
                    item: item.clone(),
                };
                let ties = levels.entry(level).or_default();
                add(ties.entry((from, to)).or_default(), tie);
            }
        }
    }
    levels
}

/// All circles of a crate in which these need each other.
pub(super) fn circles(modules: &Modules, levels: &BTreeMap<usize, Ties>) -> Vec<Circle> {
    levels
        .iter()
        .flat_map(|(level, ties)| {
            let groups = in_circles(ties.keys().copied());
            groups
                .into_iter()
                .map(|group| circle(modules, *level, &group, ties))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn add(ties: &mut Vec<Tie>, tie: Tie) {
    let same = |other: &&mut Tie| other.file == tie.file && other.item == tie.item;
    match ties.iter_mut().find(same) {
        Some(other) => other.line = other.line.min(tie.line),
        None => ties.push(tie),
    }
}

fn circle(modules: &Modules, level: usize, group: &BTreeSet<usize>, ties: &Ties) -> Circle {
    let name = |module: usize| modules.0[module].name.clone();
    let mut members: Vec<String> = group.iter().map(|&module| name(module)).collect();
    members.sort();
    let mut ties: Vec<(String, String, Vec<Tie>)> = ties
        .iter()
        .filter(|((from, to), _)| group.contains(from) && group.contains(to))
        .map(|((from, to), ties)| (name(*from), name(*to), ties.clone()))
        .collect();
    ties.sort_by_key(|(from, to, ties)| (ties.len(), from.clone(), to.clone()));
    Circle {
        level: modules.path(level),
        members,
        ties,
    }
}

/// Groups whose members each reach all others.
fn in_circles(edges: impl Iterator<Item = (usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<usize, BTreeSet<usize>> = next
        .keys()
        .map(|&from| {
            let mut seen = BTreeSet::new();
            let mut open = vec![from];
            while let Some(at) = open.pop() {
                for &to in next.get(&at).into_iter().flatten() {
                    if seen.insert(to) {
                        open.push(to);
                    }
                }
            }
            (from, seen)
        })
        .collect();
    let mut groups: Vec<BTreeSet<usize>> = Vec::new();
    for (from, seen) in &reached {
        let group: BTreeSet<usize> = seen
            .iter()
            .copied()
            .filter(|to| reached.get(to).is_some_and(|back| back.contains(from)))
            .collect();
        if group.len() > 1 && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

impl Modules {
    /// From the crate's root, such as `crate::ledger::decide`.
    fn path(&self, module: usize) -> String {
        let names: Vec<&str> = self
            .way(module)
            .into_iter()
            .map(|at| self.0[at].name.as_str())
            .collect();
        names.join("::")
    }

    /// From the root to a module, both in it.
    fn way(&self, module: usize) -> Vec<usize> {
        let mut way = vec![module];
        let mut at = module;
        while let Some(parent) = self.0[at].parent {
            way.push(parent);
            at = parent;
        }
        way.reverse();
        way
    }

    /// The level at which the ways of two modules part, and who they are there.
    fn parting(&self, from: usize, to: usize) -> Option<(usize, usize, usize)> {
        let (from, to) = (self.way(from), self.way(to));
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let level = from[common - 1];
        // A part may use its whole, and a whole its parts.
        Some((level, *from.get(common)?, *to.get(common)?))
    }
}
