//! All rules of all products, compiled for frequent queries.
//!
//! If rules of several products match one executable, the kind of the rule decides, in this
//! order: path, file name, original name, package, publisher, hash; within a kind the order in
//! which the products were given. So dear facts are only asked for if cheap ones said nothing.
//! Within a product, a helper rule that matches outweighs its other rules.

use globset::{Candidate, GlobSet, GlobSetBuilder};

use super::{Facts, Matcher, ProgramRole, Rule, Version, file_name};

/// Why rules could not be compiled together.
#[derive(Debug, thiserror::Error)]
#[error("the program rules are too large to be used together: {0}")]
pub struct RuleSetError(String);

/// Which facts the rules need besides path and file name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The package: for `package=`, or for a version.
    pub package: bool,
    /// The version resource of PE files.
    pub original_name: bool,
    /// The hash of the contents.
    pub sha256: bool,
    /// The signature.
    pub publisher: bool,
}

impl Needs {
    /// Whether the rules need no more than path and file name.
    pub fn nothing_dear(self) -> bool {
        self == Needs::default()
    }
}

/// What an executable was recognised as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The index of the product in the list that the set was compiled from.
    pub product: usize,
    /// The index of the rule in that product's list.
    pub rule: usize,
    /// What the program is to the product.
    pub role: ProgramRole,
}

/// All rules of all products.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Entry>,
    names: GlobSet,
    name_rules: Vec<usize>,
    paths: GlobSet,
    path_rules: Vec<usize>,
    needs: Needs,
}

#[derive(Debug)]
struct Entry {
    product: usize,
    place: usize,
    rule: Rule,
}

impl RuleSet {
    /// Compiles `products`: each the list of one product's rules.
    pub fn new<'a>(products: impl IntoIterator<Item = &'a [Rule]>) -> Result<Self, RuleSetError> {
        let mut set = RuleSet::default();
        let mut names = GlobSetBuilder::new();
        let mut paths = GlobSetBuilder::new();
        for (product, rules) in products.into_iter().enumerate() {
            for (place, rule) in rules.iter().enumerate() {
                let at = set.rules.len();
                match &rule.matcher {
                    Matcher::Name(glob) => {
                        names.add(glob.clone());
                        set.name_rules.push(at);
                    }
                    Matcher::Path(glob) => {
                        paths.add(glob.clone());
                        set.path_rules.push(at);
                    }
                    Matcher::Package(_) => set.needs.package = true,
                    Matcher::OriginalName(_) => set.needs.original_name = true,
                    Matcher::Sha256(_) => set.needs.sha256 = true,
                    Matcher::Publisher(_) => set.needs.publisher = true,
                }
                if rule.version.is_some() {
                    set.needs.package = true;
                    set.needs.original_name = true;
                }
                set.rules.push(Entry {
                    product,
                    place,
                    rule: rule.clone(),
                });
            }
        }
        let error = |error: globset::Error| RuleSetError(error.to_string());
        set.names = names.build().map_err(error)?;
        set.paths = paths.build().map_err(error)?;
        Ok(set)
    }

    /// Which facts the rules need.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that name one file by its path.
    pub fn literal_paths(&self) -> impl Iterator<Item = &str> {
        self.rules
            .iter()
            .filter_map(|entry| entry.rule.literal_path())
    }

    /// Which product an executable is.
    pub fn identify(&self, facts: &mut dyn Facts) -> Option<Identity> {
        let found = self.first_match(facts)?;
        let product = self.rules[found].product;
        let entry = self.helper_of(product, facts).unwrap_or(found);
        let Entry { place, rule, .. } = &self.rules[entry];
        Some(Identity {
            product,
            rule: *place,
            role: rule.role,
        })
    }

    fn first_match(&self, facts: &mut dyn Facts) -> Option<usize> {
        let by_path = self.globbed(&self.paths, &self.path_rules, &all_paths(facts));
        let by_name = self.globbed(&self.names, &self.name_rules, &all_names(facts));
        for candidates in [by_path, by_name] {
            let fits = |at: &usize| version_fits(&self.rules[*at].rule, facts);
            if let Some(at) = candidates.into_iter().find(fits) {
                return Some(at);
            }
        }
        type Kind = fn(&Matcher) -> bool;
        let kinds: [(bool, Kind); 4] = [
            (self.needs.original_name, |m| {
                matches!(m, Matcher::OriginalName(_))
            }),
            (self.needs.package, |m| matches!(m, Matcher::Package(_))),
            (self.needs.publisher, |m| matches!(m, Matcher::Publisher(_))),
            (self.needs.sha256, |m| matches!(m, Matcher::Sha256(_))),
        ];
        kinds
            .into_iter()
            .filter(|(needed, _)| *needed)
            .find_map(|(_, is_of_kind)| {
                self.rules.iter().position(|entry| {
                    is_of_kind(&entry.rule.matcher) && matches(&entry.rule, facts)
                })
            })
    }

    fn helper_of(&self, product: usize, facts: &mut dyn Facts) -> Option<usize> {
        self.rules.iter().position(|entry| {
            entry.product == product
                && entry.rule.role == ProgramRole::Helper
                && matches(&entry.rule, facts)
        })
    }

    /// Rules whose glob matches one of `texts`, in order.
    fn globbed(&self, set: &GlobSet, rules: &[usize], texts: &[Vec<u8>]) -> Vec<usize> {
        let mut found: Vec<usize> = texts
            .iter()
            .flat_map(|text| set.matches_candidate(&candidate(text)))
            .map(|glob| rules[glob])
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn all_paths(facts: &dyn Facts) -> Vec<Vec<u8>> {
    let mut paths = vec![facts.path().to_vec()];
    paths.extend_from_slice(facts.known_as());
    paths
}

fn all_names(facts: &dyn Facts) -> Vec<Vec<u8>> {
    vec![file_name(facts.path()).to_vec()]
}

fn candidate(text: &[u8]) -> Candidate<'_> {
    Candidate::from_bytes(text)
}

/// Whether one rule matches; asks only for the facts that it needs.
fn matches(rule: &Rule, facts: &mut dyn Facts) -> bool {
    let by_itself = match &rule.matcher {
        Matcher::Name(glob) => {
            let name = file_name(facts.path());
            glob.compile_matcher().is_match_candidate(&candidate(name))
        }
        Matcher::Path(glob) => {
            let matcher = glob.compile_matcher();
            all_paths(facts)
                .iter()
                .any(|path| matcher.is_match_candidate(&candidate(path)))
        }
        Matcher::Package(name) => facts.package().is_some_and(|package| package.name == *name),
        Matcher::OriginalName(name) => facts
            .original_name()
            .is_some_and(|original| original.eq_ignore_ascii_case(name)),
        Matcher::Publisher(name) => facts
            .publisher()
            .is_some_and(|publisher| publisher.eq_ignore_ascii_case(name)),
        Matcher::Sha256(hash) => facts.sha256().is_some_and(|sha256| sha256 == *hash),
    };
    by_itself && version_fits(rule, facts)
}

fn version_fits(rule: &Rule, facts: &mut dyn Facts) -> bool {
    let Some(range) = &rule.version else {
        return true;
    };
    let by_package = facts.package().map(|package| package.version);
    let known = by_package.or_else(|| facts.file_version().map(|version| version.into_owned()));
    known.is_some_and(|version| range.contains(&Version::new(&version)))
}
