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
    fn a_component_keeps_the_first_package_that_the_log_says() {
        let mut packages = Packages::default();
        assert!(packages.learn("d", "P", "A"));
        assert!(!packages.learn("d", "Q", "A"));
        assert!(!packages.learn("d", "A", "A"));
        assert_eq!(packages.of("d", "A"), Some("P"));
        assert_eq!(packages.of("e", "A"), None);
    }
}
