//! Which groups used what. People are in the groups that they are in now
//! ([decision 53](../../../../../docs/decisions/0053-use-is-charged-to-the-groups-of-today.md)).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use usher_api::{GroupBy, LastUse};
use usher_core::groups::Name;
use usher_core::people::{LocalAccounts, Person};
use usher_report::{GroupUse, GroupUses, OfGroup, PeopleGroups, UseOf};
use usher_site::{
    GroupSum, GroupsAsked, InGroups, KnownPerson, NumberedPerson, RunningUse, UsedBy, UsedProduct,
    WhichGroup,
};

use super::gathering::{Gathering, ROWS_LIMIT};
use super::uses::{NOT_KNOWN, seconds};
use crate::clock::date;
use crate::groups::{Known, SourceState};
use crate::problem::Refusal;

impl Gathering<'_> {
    /// What each group used of each product, if that was asked for.
    pub(super) async fn groups_if_asked(&mut self) -> Result<GroupUses, Refusal> {
        match self.question.parameters.group_by {
            Some(GroupBy::Group) => self.group_uses().await,
            _ => Ok(GroupUses::default()),
        }
    }

    async fn group_uses(&mut self) -> Result<GroupUses, Refusal> {
        let groups = Groups::known_to(self);
        let people = Arc::new(self.people_in(&groups).await?);
        let mut found = GroupUses {
            why_not_known: groups.why_not_known.clone(),
            ..GroupUses::default()
        };
        for of in self.products().await? {
            let sums = self.sums_asked(&of, UsedBy::Person);
            if sums.from_ms >= sums.to_ms {
                break;
            }
            let running = sums.running.iter().map(|it| groups.of_running(it));
            let asked = GroupsAsked {
                running: running.collect(),
                sums,
                people: people.clone(),
            };
            let sums = self.app.tools.site.group_sums(asked).await?;
            self.archived(sums.archived.clone());
            found.in_several |= sums.in_several > 0;
            let seat_seconds = found.seat_seconds.entry(of.product.clone()).or_default();
            *seat_seconds += seconds(sums.seat_ms);
            let room = ROWS_LIMIT.saturating_sub(found.uses.len());
            if sums.left_out > 0 || sums.rows.len() > room {
                self.cut_rows("rows of groups", &of.product);
            }
            let rows = sums.rows.into_iter().take(room);
            found.uses.extend(rows.map(|row| groups.used(row, &of)));
        }
        Ok(found)
    }

    /// The groups of the people of these uses, in their order.
    pub(super) fn people_groups(&mut self, uses: &[UseOf]) -> PeopleGroups {
        let groups = Groups::known_to(self);
        let each = uses.iter().map(|it| {
            let found = match it.of.as_str() {
                NOT_KNOWN => InGroups::NotKnown,
                account => groups.of(it.realm.as_deref(), account),
            };
            groups.named(&found)
        });
        PeopleGroups {
            of: each.collect(),
            why_not_known: groups.why_not_known.clone(),
        }
    }

    /// The groups of everybody whom the site knows.
    async fn people_in(&self, groups: &Groups) -> Result<HashMap<u64, InGroups>, Refusal> {
        let mut people = HashMap::new();
        let take = |it: NumberedPerson| {
            let KnownPerson { realm, account } = &it.person;
            people.insert(it.number, groups.of(Some(realm), account));
        };
        self.each_person(take).await?;
        Ok(people)
    }
}

/// The groups of the site, and how well they are known.
struct Groups {
    known: Arc<Known>,
    /// Their names, in the order of their numbers, which is that of the names.
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Of people whom no group has, why it is not known that they are in none; empty: it is.
    why_not_known: String,
}

impl Groups {
    /// Those that are known now; the report says how they are known.
    fn known_to(gathering: &mut Gathering<'_>) -> Groups {
        let known = gathering.app.tools.groups.known();
        for note in notes(&known.sources) {
            gathering.note(note);
        }
        let names = known.groups.after(None);
        let names: Vec<String> = names.map(|group| group.name.to_owned()).collect();
        let numbers = (0..).zip(&names);
        let numbers = numbers.map(|(number, name)| (name.clone(), number));
        Groups {
            numbers: numbers.collect(),
            names,
            why_not_known: why_not_known(&known.sources),
            known,
        }
    }

    /// The groups of a person; without a realm, of everybody with that account.
    fn of(&self, realm: Option<&str>, account: &str) -> InGroups {
        let groups = &self.known.groups;
        let found = match realm {
            Some(realm) => match Person::of(realm, account, LocalAccounts::ByComputer) {
                Ok(person) => groups.groups_of(&person),
                Err(_) => return InGroups::NotKnown,
            },
            None => match Name::of(None, account) {
                Ok(name) => groups.groups_of_name(&name),
                Err(_) => return InGroups::NotKnown,
            },
        };
        let numbers = found.into_iter().filter_map(|name| self.numbers.get(name));
        let numbers: Vec<u32> = numbers.copied().collect();
        match numbers.is_empty() && !self.why_not_known.is_empty() {
            true => InGroups::NotKnown,
            false => InGroups::Of(numbers),
        }
    }

    fn of_running(&self, it: &RunningUse) -> InGroups {
        self.of(it.realm.as_deref(), &it.user)
    }

    /// By their names: at least one.
    fn named(&self, found: &InGroups) -> Vec<OfGroup> {
        match found {
            InGroups::NotKnown => vec![OfGroup::NotKnown],
            InGroups::Of(numbers) if numbers.is_empty() => vec![OfGroup::InNone],
            InGroups::Of(numbers) => numbers.iter().map(|it| self.group(*it)).collect(),
        }
    }

    fn group(&self, number: u32) -> OfGroup {
        let name = usize::try_from(number)
            .ok()
            .and_then(|place| self.names.get(place));
        name.map_or(OfGroup::NotKnown, |name| OfGroup::Group(name.clone()))
    }

    fn used(&self, row: GroupSum, of: &UsedProduct) -> GroupUse {
        GroupUse {
            whose: match row.whose {
                WhichGroup::Group(number) => self.group(number),
                WhichGroup::InNone => OfGroup::InNone,
                WhichGroup::NotKnown => OfGroup::NotKnown,
            },
            product: of.product.clone(),
            sessions: row.sessions,
            users: row.users,
            computers: row.computers,
            open_seconds: seconds(row.open_ms),
            active_seconds: None,
            seat_seconds: seconds(row.seat_ms),
            peak: row.peak,
            peak_at: row.peak_at_ms.map(date),
            last_use: LastUse::used(date(row.last_ms)),
        }
    }
}

/// Why somebody whom no group has may be in one all the same; empty: they are in none.
fn why_not_known(sources: &[SourceState]) -> String {
    if sources.is_empty() {
        return "no groups are set up: [groups] in usher.toml names files, or the name service"
            .to_owned();
    }
    let unread: BTreeMap<&str, &str> = sources
        .iter()
        .filter(|it| it.as_of_ms.is_none())
        .map(|it| {
            let why = it.trouble.as_ref().map(|trouble| trouble.why.as_str());
            (it.name.as_str(), why.unwrap_or("it was not read yet"))
        })
        .collect();
    if let Some((name, why)) = unread.first_key_value() {
        return format!("nothing is known of the groups of {name}: {why}");
    }
    let limited = sources.iter().find_map(|it| it.note.clone());
    limited.unwrap_or_default()
}

/// As of when groups are known, and what is wrong with their sources.
fn notes(sources: &[SourceState]) -> Vec<String> {
    let each = sources.iter().filter_map(|it| {
        let as_of = date(it.as_of_ms?);
        Some(match &it.trouble {
            None => format!("The groups of {} are as of {as_of}.", it.name),
            Some(trouble) => format!(
                "The groups of {} are as of {as_of}: they cannot be read since {}: {}.",
                it.name,
                date(trouble.since_ms),
                trouble.why.trim_end_matches('.'),
            ),
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Trouble;

    fn source(name: &str, as_of_ms: Option<i64>, why: Option<&str>) -> SourceState {
        SourceState {
            name: name.to_owned(),
            as_of_ms,
            trouble: why.map(|why| Trouble {
                why: why.to_owned(),
                since_ms: 60_000,
            }),
            note: None,
        }
    }

    #[test]
    fn who_is_in_no_group_is_known_only_if_every_source_was_read() {
        let read = source("system", Some(0), None);
        assert_eq!(why_not_known(std::slice::from_ref(&read)), "");
        let stale = source("/groups", Some(0), Some("it is gone"));
        assert_eq!(why_not_known(&[read.clone(), stale]), "");
        let unread = source("/groups", None, Some("it is gone"));
        let why = why_not_known(&[read.clone(), unread]);
        assert_eq!(why, "nothing is known of the groups of /groups: it is gone");
        assert!(why_not_known(&[]).contains("[groups]"));
        let limited = SourceState {
            note: Some("only 20 people are asked for".to_owned()),
            ..read
        };
        assert_eq!(why_not_known(&[limited]), "only 20 people are asked for");
    }

    #[test]
    fn a_report_says_as_of_when_groups_are() {
        let sources = [
            source("system", Some(0), None),
            source("/groups", Some(0), Some("line 2: it has no colon.")),
            source("/other", None, Some("it is gone")),
        ];
        let expected = [
            "The groups of system are as of 1970-01-01T00:00:00Z.",
            "The groups of /groups are as of 1970-01-01T00:00:00Z: they cannot be read since \
             1970-01-01T00:01:00Z: line 2: it has no colon.",
        ];
        assert_eq!(notes(&sources), expected);
    }
}
