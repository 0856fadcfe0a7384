//! What a path names: the module that defines it, and those that hand it on.

use std::collections::BTreeMap;

use super::modules::{Import, Modules, Named};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Where it is defined.
    pub(super) module: usize,
    /// Its name there; none if the module itself is meant.
    pub(super) item: Option<String>,
    /// Modules that hand it on by a `use` of theirs.
    pub(super) via: Vec<usize>,
}

/// The names that a module's code may use without a path. A module and a function may share one.
#[derive(Debug, Clone, Default)]
struct Scope {
    modules: BTreeMap<String, Target>,
    items: BTreeMap<String, Target>,
}

/// What each name means in each module of a crate.
pub(super) struct Names<'m> {
    modules: &'m Modules,
    scopes: Vec<Scope>,
}

impl<'m> Names<'m> {
    /// Looks up all imports, again and again until none leads further: imports of imports.
    pub(super) fn new(modules: &'m Modules) -> Names<'m> {
        let own = |at: usize| {
            let module = &modules.0[at];
            let children = module.children.iter();
            let items = module.items.iter();
            Scope {
                modules: children
                    .map(|&child| (modules.0[child].name.clone(), Target::module(child)))
                    .collect(),
                items: items
                    .map(|item| (item.clone(), Target::item(at, item)))
                    .collect(),
            }
        };
        let scopes = (0..modules.0.len()).map(own).collect();
        let mut names = Names { modules, scopes };
        // A name of its own comes before one that a `*` brings in.
        while names.import(Names::by_name) || names.import(Names::by_glob) {}
        names
    }

    /// What a path in a module's code names; none if it is another crate's, or a local name.
    pub(super) fn target(&self, from: usize, named: &Named) -> Option<Target> {
        let found = self.find(from, &named.segments);
        found
            .items
            .into_values()
            .chain(found.modules.into_values())
            .next()
    }

    /// One round of imports; whether any name is new.
    fn import(&mut self, bring: fn(&Self, usize, &Import) -> Scope) -> bool {
        let mut is_new = false;
        for (at, module) in self.modules.0.iter().enumerate() {
            for import in &module.imports {
                let brought = bring(self, at, import);
                let scope = &mut self.scopes[at];
                is_new |= add(&mut scope.modules, brought.modules, at);
                is_new |= add(&mut scope.items, brought.items, at);
            }
        }
        is_new
    }

    fn by_name(&self, at: usize, import: &Import) -> Scope {
        let Some(name) = &import.name else {
            return Scope::default();
        };
        let found = self.find(at, &import.path.segments);
        let called = |targets: BTreeMap<String, Target>| {
            targets
                .into_values()
                .map(|target| (name.clone(), target))
                .collect()
        };
        Scope {
            modules: called(found.modules),
            items: called(found.items),
        }
    }

    /// The variants of an enum count for nothing: who names one has named the enum.
    fn by_glob(&self, at: usize, import: &Import) -> Scope {
        let found = match import.name {
            None => self.find(at, &import.path.segments),
            Some(_) => Scope::default(),
        };
        let all_of = found
            .modules
            .into_values()
            .find(|all_of| all_of.module != at);
        all_of.map_or_else(Scope::default, |all_of| self.scopes[all_of.module].clone())
    }

    /// What a path leads to: an item, a module, or both.
    fn find(&self, from: usize, segments: &[String]) -> Scope {
        let mut at = Target::module(from);
        for (index, segment) in segments.iter().enumerate() {
            let scope = &self.scopes[at.module];
            let parent = self.modules.0[at.module].parent;
            let module = match segment.as_str() {
                "crate" if index == 0 => Some(Target::module(0)),
                "self" if index == 0 => Some(Target::module(from)),
                "super" => parent.map(Target::module),
                name => scope.modules.get(name).cloned(),
            };
            let item = scope.items.get(segment).cloned();
            let is_last = index + 1 == segments.len();
            match (module, item) {
                (Some(module), None) => at = at.then(module),
                (Some(module), Some(_)) if !is_last => at = at.then(module),
                // The rest, if any, is a variant or an associated function.
                (None, Some(item)) => return Scope::of(segment, None, Some(at.then(item))),
                (Some(module), Some(item)) => {
                    return Scope::of(segment, Some(at.then(module)), Some(at.then(item)));
                }
                (None, None) => return Scope::default(),
            }
        }
        Scope::of("", Some(at), None)
    }
}

/// Adds what is not there yet; whether anything was.
fn add(scope: &mut BTreeMap<String, Target>, brought: BTreeMap<String, Target>, at: usize) -> bool {
    let before = scope.len();
    for (name, mut target) in brought {
        target.via.push(at);
        scope.entry(name).or_insert(target);
    }
    scope.len() > before
}

impl Scope {
    fn of(name: &str, module: Option<Target>, item: Option<Target>) -> Scope {
        let named = |target: Option<Target>| {
            target
                .into_iter()
                .map(|target| (name.to_owned(), target))
                .collect()
        };
        Scope {
            modules: named(module),
            items: named(item),
        }
    }
}

impl Target {
    fn module(module: usize) -> Target {
        Target {
            module,
            item: None,
            via: Vec::new(),
        }
    }

    fn item(module: usize, item: &str) -> Target {
        Target {
            item: Some(item.to_owned()),
            ..Target::module(module)
        }
    }

    /// What follows on the way.
    fn then(&self, next: Target) -> Target {
        let via = self.via.iter().copied().chain(next.via).collect();
        Target { via, ..next }
    }
}
