//! Which package a component belongs to, as the log says it.

use std::collections::BTreeMap;

/// Components that are remembered; of further ones package and component are two uses.
const COMPONENTS_LIMIT: usize = 10_000;

/// Packages by component, of all daemons of a log.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// By daemon and component.
    packages: BTreeMap<(String, String), String>,
}

impl Packages {
    /// The package of a component, if the log has said one.
    pub(super) fn of(&self, daemon: &str, component: &str) -> Option<&str> {
        if self.packages.is_empty() {
            return None;
        }
        let key = (daemon.to_owned(), component.to_owned());
        self.packages.get(&key).map(String::as_str)
    }

    /// Takes in that a package has a component. Returns whether that is new.
    pub(super) fn learn(&mut self, daemon: &str, package: &str, component: &str) -> bool {
        if package == component || self.packages.len() >= COMPONENTS_LIMIT {
            return false;
        }
        let key = (daemon.to_owned(), component.to_owned());
        if self.packages.contains_key(&key) {
            return false;
        }
        self.packages.insert(key, package.to_owned());
        true
    }
}

/// What a daemon lists at its start, `P (consisting of: A B)` among names of features, in columns over as
/// many lines as it takes.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The daemon, and the package whose components go on in its next line.
    open: Option<(String, String)>,
}

impl Listing {
    /// Takes in a line of a daemon. Returns packages with a component each; none: nothing of packages is
    /// in it.
    pub(super) fn take(&mut self, daemon: &str, line: &str) -> Option<Vec<(String, String)>> {
        let open = self.open.take().filter(|(of, _)| of == daemon);
        let mut package = open.map(|(_, package)| package);
        if package.is_some() && !super::quiet::is_list(&line.replace(['(', ')', ':'], " ")) {
            return None;
        }
        if package.is_none() && !line.contains(BEGINS) {
            return None;
        }
        let (mut found, mut rest) = (Vec::new(), line);
        loop {
            let Some(of) = package.take() else {
                let Some((before, after)) = rest.split_once(BEGINS) else {
                    return Some(found);
                };
                package = Some(names(before).pop()?.to_owned());
                rest = after.trim_start_matches(':');
                continue;
            };
            let (inside, behind) = match rest.split_once(')') {
                Some((inside, behind)) => (inside, Some(behind)),
                None => (rest, None),
            };
            let parts = names(inside).into_iter();
            found.extend(parts.map(|part| (of.clone(), part.to_owned())));
            let Some(behind) = behind else {
                self.open = Some((daemon.to_owned(), of));
                return Some(found);
            };
            rest = behind;
        }
    }
}

/// What stands between a package and its components in a [`Listing`].
const BEGINS: &str = "(consisting of";

/// Package and components of `Package "P" consisting of "A", "B"`; the names may be bare.
pub(super) fn consisting(message: &str) -> Option<(&str, Vec<&str>)> {
    let (before, after) = message.split_once("consisting of")?;
    let package = names(before).pop()?;
    let components = names(after);
    (!components.is_empty()).then_some((package, components))
}

/// The quoted names of a text; without any, its words.
pub(super) fn names(text: &str) -> Vec<&str> {
    let quoted: Vec<&str> = text
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|name| !name.is_empty())
        .collect();
    if !quoted.is_empty() {
        return quoted;
    }
    text.split([' ', '\t', ',', ';', ':'])
        .map(|word| word.trim_matches(['(', ')', '.']))
        .filter(|word| !word.is_empty() && *word != "and")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_quoted_and_bare() {
        let quoted = consisting("Package \"Suite 1\" consisting of \"A\", \"B\"");
        assert_eq!(quoted, Some(("Suite 1", vec!["A", "B"])));
        let bare = consisting("PACKAGE suite consisting of: A, B and C.");
        assert_eq!(bare, Some(("suite", vec!["A", "B", "C"])));
        assert_eq!(consisting("suite consisting of"), None);
        assert_eq!(consisting("consisting of A"), None);
    }

    #[test]
    fn a_listing_goes_on_until_its_bracket_is_closed() {
        let mut listing = Listing::default();
        let mut take = |daemon, line| {
            let found = listing.take(daemon, line)?;
            let words = found.iter().map(|(of, part)| format!("{of}:{part}"));
            Some(words.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(take("d", "Draw Paint"), None);
        let first = take("d", "Draw S (consisting of:\t\tS26\t").unwrap();
        assert_eq!(first, "S:S26");
        assert_eq!(take("d", "S25\tS24").unwrap(), "S:S25 S:S24");
        let next = take("d", "S23) Play T (consisting of: T26)").unwrap();
        assert_eq!(next, "S:S23 T:T26");
        assert_eq!(take("d", "Paint"), None);
        // Another daemon's line, and one that is no list, end it.
        assert_eq!(take("d", "S (consisting of: A").unwrap(), "S:A");
        assert_eq!(take("e", "B C)"), None);
        assert_eq!(take("d", "S (consisting of: A").unwrap(), "S:A");
        assert_eq!(take("d", "EXTERNAL FILTERS, off"), None);
        assert_eq!(take("d", "(consisting of: A)"), None);
    }

    #[test]
    fn a_component_keeps_the_first_package_that_the_log_says() {
        let mut packages = Packages::default();
        assert!(packages.learn("d", "P", "A"));
        assert!(!packages.learn("d", "Q", "A"));
        assert!(!packages.learn("d", "A", "A"));
        assert_eq!(packages.of("d", "A"), Some("P"));
        assert_eq!(packages.of("e", "A"), None);
    }
}
