//! `PACKAGE` lines: what a seat of a package gives.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::entry::attributes;
use super::version;
use crate::fact::{Component, Owned, Until};
use crate::flexnet::day;

/// Names of packages that are kept. Lines of further ones are not understood.
const NAMES_LIMIT: usize = 20_000;
/// Lines of one name that are kept. Further ones are not understood.
const LINES_LIMIT: usize = 100;
/// Components that one package may have. A line with more is not understood.
const COMPONENTS_LIMIT: usize = 5_000;
/// Components that are given out in all. Further lines come with a note in their stead.
const GIVEN_LIMIT: usize = 500_000;
/// The note of a line whose components are beyond the limit.
const NOT_GIVEN: &str = "its components are not listed: the files have too many";

/// The packages that files define, by daemon and name.
#[derive(Debug, Default)]
pub(super) struct Packages {
    by_name: BTreeMap<(String, String), Vec<Package>>,
    given: usize,
}

#[derive(Debug)]
struct Package {
    version: Option<String>,
    components: Vec<Component>,
    suite: bool,
    issued: Option<Date>,
}

impl Packages {
    /// `PACKAGE name daemon [version] COMPONENTS="a b:1.5 c:2.0:4" [OPTIONS=SUITE] [ISSUED=day]`; false:
    /// it is no such line, or a limit is reached.
    pub(super) fn take_in(&mut self, words: &[String]) -> bool {
        let (Some(name), Some(daemon)) = (words.get(1), words.get(2)) else {
            return false;
        };
        let Some(package) = read(words) else {
            return false;
        };
        let key = (daemon.clone(), name.clone());
        if self.by_name.len() >= NAMES_LIMIT && !self.by_name.contains_key(&key) {
            return false;
        }
        let lines = self.by_name.entry(key).or_default();
        if lines.len() >= LINES_LIMIT {
            return false;
        }
        lines.push(package);
        true
    }

    /// Adds to what is owned what it is made of, if a package has its daemon, name and version. The line
    /// that was issued last is meant; of two of one day the first.
    pub(super) fn describe(&mut self, owned: &mut Owned) {
        let Some(daemon) = owned.feature.daemon.clone() else {
            return;
        };
        let key = (daemon, owned.feature.name.clone());
        let mut meant: Option<&Package> = None;
        for package in self.by_name.get(&key).into_iter().flatten() {
            let fits = match (&package.version, &owned.version) {
                (Some(one), Some(other)) => version::same(one, other),
                _ => true,
            };
            if fits && meant.is_none_or(|meant| package.issued > meant.issued) {
                meant = Some(package);
            }
        }
        let Some(package) = meant else {
            return;
        };
        owned.written.suite = package.suite;
        let given = self.given.saturating_add(package.components.len());
        if given > GIVEN_LIMIT {
            let note = owned.note.get_or_insert_default();
            if !note.is_empty() {
                note.push_str("; ");
            }
            note.push_str(NOT_GIVEN);
            return;
        }
        owned.components = package.components.clone();
        self.given = given;
    }
}

fn read(words: &[String]) -> Option<Package> {
    let mut package = Package {
        version: words.get(3).filter(|word| !word.contains('=')).cloned(),
        components: Vec::new(),
        suite: false,
        issued: None,
    };
    for (key, value) in attributes(words.get(3..)?) {
        match key.as_str() {
            "COMPONENTS" => {
                for written in value.split_whitespace() {
                    package.components.push(component(written)?);
                }
            }
            "OPTIONS" => {
                package.suite = value
                    .split([' ', ','])
                    .any(|word| word.starts_with("SUITE"))
            }
            "ISSUED" => {
                package.issued = match day::read(value)? {
                    Until::Day(day) => Some(day),
                    Until::Permanent => None,
                };
            }
            _ => {}
        }
    }
    let some = !package.components.is_empty() && package.components.len() <= COMPONENTS_LIMIT;
    some.then_some(package)
}

/// `name[:version[:seats]]`
fn component(written: &str) -> Option<Component> {
    let mut parts = written.split(':');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let version = parts.next().filter(|version| !version.is_empty());
    let seats = match parts.next() {
        Some(seats) if !seats.is_empty() => Some(seats.parse().ok()?),
        _ => None,
    };
    parts.next().is_none().then(|| Component {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        seats,
    })
}
