//! What counts as one use of a seat: a licence's DUP_GROUP. Checkouts of one group share the seats of the
//! largest of them.

use std::collections::BTreeMap;

use crate::fact::{Feature, Holder, Owned};

/// What checkouts have in common that share a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grouping {
    user: bool,
    host: bool,
    display: bool,
    site: bool,
    /// What the vendor's program says, which no log tells: seats cannot be counted.
    vendor: bool,
}

impl Grouping {
    /// Reads `UHDV`, `SITE` or `NONE`; none: each checkout has its own seats. Letters that are not known
    /// leave seats uncounted.
    pub fn of(text: Option<&str>) -> Grouping {
        let text = text.unwrap_or("NONE").trim().to_ascii_uppercase();
        let mut grouping = Grouping::default();
        match text.as_str() {
            "NONE" | "" => {}
            "SITE" => grouping.site = true,
            letters => {
                for letter in letters.chars() {
                    match letter {
                        'U' => grouping.user = true,
                        'H' => grouping.host = true,
                        'D' => grouping.display = true,
                        _ => grouping.vendor = true,
                    }
                }
            }
        }
        grouping
    }

    /// Whether seats can be counted from a log.
    pub fn is_countable(self) -> bool {
        !self.vendor
    }

    /// What a checkout shares its seats with; none: with no other.
    pub(super) fn group(self, holder: &Holder) -> Option<Holder> {
        if !(self.user || self.host || self.display || self.site) {
            return None;
        }
        let part = |wanted: bool, text: &str| match wanted {
            true => text.to_owned(),
            false => String::new(),
        };
        Some(Holder {
            user: part(self.user, &holder.user),
            host: part(self.host, &holder.host),
            display: self.display.then(|| holder.display.clone()).flatten(),
        })
    }
}

/// The groupings of a licence file's features. FlexNet compares names without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Groupings {
    known: BTreeMap<(Option<String>, String), Grouping>,
}

impl Groupings {
    /// Takes in a line of a licence file. Of several for one feature the first is kept.
    pub fn learn(&mut self, owned: &Owned) {
        let grouping = Grouping::of(owned.grouping.as_deref());
        self.known.entry(key(&owned.feature)).or_insert(grouping);
    }

    /// The grouping of a feature; none if no licence says it.
    pub fn of(&self, feature: &Feature) -> Option<Grouping> {
        self.known.get(&key(feature)).copied()
    }
}

fn key(feature: &Feature) -> (Option<String>, String) {
    let daemon = feature.daemon.as_deref().map(str::to_lowercase);
    (daemon, feature.name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_what_the_letters_say() {
        let holder = Holder {
            user: "ann".to_owned(),
            host: "pc1".to_owned(),
            display: Some(":0".to_owned()),
        };
        let group = |text: Option<&str>| Grouping::of(text).group(&holder);
        assert_eq!(group(None), None);
        assert_eq!(group(Some("NONE")), None);
        let users = group(Some("U")).expect("a group");
        assert_eq!((users.user.as_str(), users.host.as_str()), ("ann", ""));
        assert_eq!(group(Some("uhd")), Some(holder.clone()));
        assert!(group(Some("SITE")).is_some());
        assert!(!Grouping::of(Some("UHV")).is_countable());
    }
}
