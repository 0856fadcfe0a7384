//! Groups of people, on which chargeback stands: who is in which group.
//!
//! A group comes from one or several sources (a file, the system's name service); its members are
//! those of all of them. A member is a person or another group, whose members are then members, too.
//! Groups that contain each other in a circle have the same members, and are noted.

mod name;
mod note;
mod read;
mod rings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use rustc_hash::FxHashMap;

pub use name::{GROUP_LIMIT_BYTES, Member, Name, group_name};
pub use note::Note;
pub use read::{ENTRIES_LIMIT, Entry, FILE_LIMIT_BYTES, Fault, Faulty, read};

use crate::people::{self, LocalAccounts, Person};

/// Notes that are kept; the rest are left out.
const NOTES_LIMIT: usize = 20;

/// Where memberships come from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name for people: `system`, or a file's path.
    pub name: &'a str,
    /// What it says.
    pub entries: &'a [Entry],
}

/// A group, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// The names of the sources that have it.
    pub sources: Vec<&'a str>,
    /// People whom it names itself.
    pub people: usize,
    /// The groups that are its members.
    pub groups: Vec<&'a str>,
}

/// A person who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership<'a> {
    /// The person, as a source names them.
    pub name: &'a Name,
    /// The group that names the person, if it is another one that is a member of this one.
    pub through: Option<&'a str>,
}

/// All groups. Building them takes time and memory in proportion to the memberships.
#[derive(Debug, Default)]
pub struct Groups {
    sources: Vec<String>,
    groups: Vec<Group>,
    numbers: BTreeMap<String, usize>,
    /// Groups by realm and account, both as they are compared.
    in_realms: FxHashMap<String, FxHashMap<String, Vec<usize>>>,
    /// Groups by accounts without a realm, as they are written.
    exact: FxHashMap<String, Vec<usize>>,
    /// The same without case, as directories compare accounts.
    folded: FxHashMap<String, Vec<usize>>,
    notes: Vec<Note>,
}

#[derive(Debug, Default)]
struct Group {
    name: String,
    sources: BTreeSet<usize>,
    people: BTreeSet<Name>,
    /// The groups that are its members.
    has: BTreeSet<usize>,
    /// The groups that it is a member of.
    within: BTreeSet<usize>,
}

impl Groups {
    /// The groups of these sources.
    pub fn of(sources: &[Source<'_>]) -> Groups {
        let mut all = Groups::default();
        for source in sources {
            let number = all.sources.len();
            all.sources.push(source.name.to_owned());
            for entry in source.entries {
                let at = all.number(&entry.group);
                all.groups[at].sources.insert(number);
                if let Some(Member::Person(name)) = &entry.member {
                    all.groups[at].people.insert(name.clone());
                }
            }
        }
        for entry in sources.iter().flat_map(|source| source.entries) {
            if let Some(Member::Group(member)) = &entry.member {
                all.nest(&entry.group, member);
            }
        }
        all.index();
        let has: Vec<&BTreeSet<usize>> = all.groups.iter().map(|group| &group.has).collect();
        let room = NOTES_LIMIT.saturating_sub(all.notes.len());
        for ring in rings::find(&has).into_iter().take(room) {
            let names = ring.into_iter().map(|at| all.groups[at].name.clone());
            all.notes.push(Note::Circle(names.collect()));
        }
        all
    }

    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.groups.len();
        self.groups.push(Group {
            name: name.to_owned(),
            ..Group::default()
        });
        self.numbers.insert(name.to_owned(), number);
        number
    }

    fn nest(&mut self, group: &str, member: &str) {
        let outer = self.number(group);
        let Some(inner) = self.numbers.get(member).copied() else {
            let note = Note::NoSuchGroup {
                group: group.to_owned(),
                member: member.to_owned(),
            };
            if self.notes.len() < NOTES_LIMIT && !self.notes.contains(&note) {
                self.notes.push(note);
            }
            return;
        };
        if outer != inner {
            self.groups[outer].has.insert(inner);
            self.groups[inner].within.insert(outer);
        }
    }

    fn index(&mut self) {
        for (at, group) in self.groups.iter().enumerate() {
            for name in &group.people {
                let Some(realm) = &name.realm else {
                    let account = name.account.clone();
                    self.exact.entry(account).or_default().push(at);
                    let account = people::folded(&name.account);
                    self.folded.entry(account).or_default().push(at);
                    continue;
                };
                // It was checked when it was read.
                let person = Person::of(realm, &name.account, LocalAccounts::ByComputer);
                if let Ok(person) = person {
                    let realm = self.in_realms.entry(person.realm).or_default();
                    realm.entry(person.key).or_default().push(at);
                }
            }
        }
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What in the sources is probably not meant, at most 20 notes.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The groups that a person is in, directly or by a group in a group, in the order of their
    /// names.
    pub fn groups_of(&self, person: &Person) -> Vec<&str> {
        let mut direct: Vec<usize> = Vec::new();
        let of_realm = self.in_realms.get(&person.realm);
        direct.extend(
            of_realm
                .and_then(|it| it.get(&person.key))
                .into_iter()
                .flatten(),
        );
        let anywhere = match people::is_directory(&person.realm) {
            Ok(true) => self.folded.get(&people::folded(&person.key)),
            _ => self.exact.get(&person.key),
        };
        direct.extend(anywhere.into_iter().flatten());
        self.around(direct)
    }

    /// The groups of a person whose realm may not be known: without one, of everybody with that
    /// account, in whatever realm.
    pub fn groups_of_name(&self, name: &Name) -> Vec<&str> {
        if let Some(realm) = &name.realm {
            let person = Person::of(realm, &name.account, LocalAccounts::ByComputer);
            return person.map_or_else(|_| Vec::new(), |person| self.groups_of(&person));
        }
        let folded = people::folded(&name.account);
        let mut direct: Vec<usize> = Vec::new();
        direct.extend(self.folded.get(&folded).into_iter().flatten());
        for (realm, accounts) in &self.in_realms {
            let key = match people::is_directory(realm) {
                Ok(true) => &folded,
                _ => &name.account,
            };
            direct.extend(accounts.get(key).into_iter().flatten());
        }
        self.around(direct)
    }

    /// These groups and those that they are in.
    fn around(&self, mut left: Vec<usize>) -> Vec<&str> {
        let mut names = BTreeSet::new();
        while let Some(at) = left.pop() {
            let group = &self.groups[at];
            if names.insert(group.name.as_str()) {
                left.extend(&group.within);
            }
        }
        names.into_iter().collect()
    }

    /// Who is in a group, directly or by a group in it, in the order of their names; none: there is
    /// no such group.
    pub fn members(&self, group: &str) -> Option<Vec<Membership<'_>>> {
        let first = *self.numbers.get(group)?;
        let mut found: BTreeMap<&Name, Option<&str>> = BTreeMap::new();
        let mut seen = BTreeSet::from([first]);
        let mut level = vec![first];
        while !level.is_empty() {
            let mut next: Vec<usize> = Vec::new();
            for at in level {
                let group = &self.groups[at];
                let through = (at != first).then_some(group.name.as_str());
                for name in &group.people {
                    found.entry(name).or_insert(through);
                }
                next.extend(group.has.iter().filter(|inner| seen.insert(**inner)));
            }
            level = next;
        }
        let found = found.into_iter();
        Some(
            found
                .map(|(name, through)| Membership { name, through })
                .collect(),
        )
    }

    /// The group of that name.
    pub fn get(&self, name: &str) -> Option<Shown<'_>> {
        self.numbers.get(name).map(|at| self.shown(*at))
    }

    /// Groups in the order of their names: those after that name; none: all.
    pub fn after<'g>(&'g self, name: Option<&str>) -> impl Iterator<Item = Shown<'g>> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.numbers.range::<str, _>((from, Bound::Unbounded));
        range.map(move |(_, at)| self.shown(*at))
    }

    fn shown(&self, at: usize) -> Shown<'_> {
        let group = &self.groups[at];
        let name = |at: &usize| self.groups[*at].name.as_str();
        let mut groups: Vec<&str> = group.has.iter().map(name).collect();
        groups.sort_unstable();
        Shown {
            name: &group.name,
            sources: group
                .sources
                .iter()
                .map(|source| self.sources[*source].as_str())
                .collect(),
            people: group.people.len(),
            groups,
        }
    }
}
