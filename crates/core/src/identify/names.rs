//! What follows from a rule for a file name alone.

use super::{Matcher, Rule, rule};

impl Rule {
    /// Whether the rule could match a program of that file name. A rule that does not look at names
    /// could match any.
    pub fn could_be_named(&self, name: &str) -> bool {
        match &self.matcher {
            Matcher::Name(glob) => glob.compile_matcher().is_match(name),
            Matcher::Path(glob) => {
                let last = glob.glob().rsplit('/').next().unwrap_or_default();
                // A piece of a pattern, such as one out of `/{a/b,c}`, may be none by itself.
                rule::glob(last).map_or(true, |glob| glob.compile_matcher().is_match(name))
            }
            _ => true,
        }
    }
}

/// The part of a program's name that updates keep: the letters that it begins with, so that `cad12`
/// and `cad13` have the same stem. None if these are too few.
pub fn stem(name: &str) -> Option<&str> {
    const LETTERS: usize = 3;
    let end = name
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(name.len());
    let stem = &name[..end];
    (stem.chars().count() >= LETTERS).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_asked_for_a_name_alone() {
        let could = |rule: &str, name| Rule::parse(rule).unwrap().could_be_named(name);
        assert!(could("name=cad*", "cad12"));
        assert!(!could("name=cad*", "sim"));
        assert!(could("path=/opt/cad-*/bin/cad", "cad"));
        assert!(!could("path=/opt/cad-*/bin/cad", "cad-helper"));
        assert!(could("package=cad", "anything"));
    }

    #[test]
    fn a_name_keeps_its_stem_through_an_update() {
        assert_eq!(stem("cad12"), Some("cad"));
        assert_eq!(stem("matlab_R2026a"), Some("matlab"));
        assert_eq!(stem("x11"), None);
    }
}
