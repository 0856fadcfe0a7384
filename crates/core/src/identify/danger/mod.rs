//! Which programs an operating system needs, and whether rules would hit them.
//!
//! A rule that matches a shell, an interpreter, a loader or what people need to get in and repair
//! a computer must not be enforced by accident. What stands here is known by name and place; who
//! asks may add what is really installed. What a computer cannot be used or repaired without is
//! [never refused](Needed::never_refused), whatever the rules say.

mod needed;
mod system;
#[cfg(test)]
mod tests;

use super::rule_set::RuleSetError;
use super::{Facts, Matcher, Package, ProgramRole, Rule, RuleSet};
pub use needed::{FileId, Needed, Started};
use system::WELL_KNOWN_PACKAGES;
pub use system::{SystemRole, system_role, well_known_programs};

/// A program that a rule would hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// Its path.
    pub path: Vec<u8>,
    /// What it is needed for.
    pub role: SystemRole,
    /// The rule that hits it, by its place in the list.
    pub rule: usize,
}

/// The programs that one product's `rules` would hit and that the operating system needs,
/// what it needs most first: of [`well_known_programs`], of what the rules themselves name, and of `present`
/// (what is really installed). A program that the rules make a helper is not hit: helpers take no
/// seat, so they are refused none. Rules that look at more than path, name and package need
/// [`Facts`] that know more.
///
/// # Errors
/// The rules are too large to be used together.
pub fn dangers<F: Facts>(
    rules: &[Rule],
    present: impl IntoIterator<Item = F>,
) -> Result<Vec<Danger>, RuleSetError> {
    // Whether the version of what is not at hand would fit is not known: then it is taken to.
    let any_version: Vec<Rule> = rules.iter().map(without_version).collect();
    let known = RuleSet::new([any_version.as_slice()])?;
    let mut found = Vec::new();
    let paths = well_known_programs().into_iter().map(|path| (path, None));
    let packaged = WELL_KNOWN_PACKAGES
        .iter()
        .map(|(package, path)| ((*path).to_owned(), Some(*package)));
    let named = rules.iter().filter_map(named_program).map(|p| (p, None));
    for (path, package) in paths.chain(packaged).chain(named) {
        let path = path.into_bytes();
        found.extend(hit(&known, &mut KnownProgram { path, package }));
    }
    let exact = RuleSet::new([rules])?;
    for mut facts in present {
        found.extend(hit(&exact, &mut facts));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    found.sort_by_key(|danger| danger.role);
    Ok(found)
}

fn without_version(rule: &Rule) -> Rule {
    let is_main = rule.role == ProgramRole::Main;
    Rule {
        version: rule.version.clone().filter(|_| !is_main),
        ..rule.clone()
    }
}

/// The one program that a rule means by its name or path, and not by a pattern.
fn named_program(rule: &Rule) -> Option<String> {
    match &rule.matcher {
        Matcher::Path(_) => rule.literal_path().map(str::to_owned),
        Matcher::Name(glob) => Some(format!("/usr/bin/{}", glob.glob())),
        _ => None,
    }
}

fn hit(rules: &RuleSet, facts: &mut dyn Facts) -> Option<Danger> {
    let role = system_role(facts.path())
        .or_else(|| facts.known_as().iter().find_map(|path| system_role(path)))
        .or_else(|| facts.is_of_system().then_some(SystemRole::SystemFile))?;
    let identity = rules.identify(facts)?;
    (identity.role == ProgramRole::Main).then(|| Danger {
        path: facts.path().to_vec(),
        role,
        rule: identity.rule,
    })
}

struct KnownProgram {
    path: Vec<u8>,
    package: Option<&'static str>,
}

impl Facts for KnownProgram {
    fn path(&self) -> &[u8] {
        &self.path
    }

    fn package(&mut self) -> Option<Package> {
        self.package.map(|name| Package {
            name: name.to_owned(),
            version: String::new(),
        })
    }
}
