//! The groups of this computer's name service: those that it lists, and those of the people whom the
//! site knows, whom it is asked for by name: many directories list nobody.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::time::Duration;

use usher_core::groups::{ENTRIES_LIMIT, Entry, Member, Name, group_name};
use usher_core::people::{TOKEN_REALM, split};
use usher_platform::name_service::{NameService, SystemGroup};
use usher_site::{KnownPerson, Site};

/// How long one question may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long all questions of a look may take together.
const LOOK_WITHIN: Duration = Duration::from_secs(300);
/// Names in one question.
const NAMES_AT_ONCE: usize = 100;
/// People who are asked for by name in a look; further ones are not.
const PEOPLE_LIMIT: usize = 20_000;
/// People who are read from the site at once.
const PAGE: u32 = 1_000;
/// So few memberships that a directory told may vanish without a doubt.
const FEW: usize = 4;
/// An answer that lacks most of what was known is believed after so long in trouble.
const DOUBTED_MS: i64 = 24 * 3_600 * 1_000;

/// What the name service says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) entries: Vec<Entry>,
    /// What of this the computer's own files say, and no directory.
    own: Vec<Entry>,
    /// What it was not asked for.
    pub(super) note: Option<String>,
}

/// Asks for all groups, and for those of the people whom the site knows. Accounts without a domain
/// are of `realm`, if there is one.
pub(super) async fn ask(
    service: &NameService,
    site: &dyn Site,
    realm: Option<&str>,
) -> Result<Told, String> {
    let (people, note) = people(site, realm).await?;
    let asked = tokio::time::timeout(LOOK_WITHIN, async {
        // A `getent` of another make may not know `-s`: then all counts as a directory's.
        let own = gather(&service.of_own_files(), &[])
            .await
            .unwrap_or_default();
        gather(service, &people).await.map(|all| (all, own))
    });
    let gathered = asked.await.map_err(|_| {
        format!(
            "the name service takes longer than {} s in all",
            LOOK_WITHIN.as_secs()
        )
    })?;
    let (all, own) = gathered.map_err(|error| match error.kind() {
        io::ErrorKind::Unsupported => error.to_string(),
        _ => format!("the name service cannot be asked: {error}"),
    })?;
    // With a realm, what is told is about people of that realm: this computer's own are not.
    let strangers = match realm {
        Some(_) => own.accounts(),
        None => HashSet::new(),
    };
    let entries = all.entries(realm, &strangers);
    let own = own.entries(realm, &strangers);
    match entries.len() > ENTRIES_LIMIT {
        true => Err(format!(
            "the name service tells {} memberships, and {ENTRIES_LIMIT} is the limit",
            entries.len()
        )),
        false => Ok(Told { entries, own, note }),
    }
}

/// The accounts of people whom the name service may know, each once.
async fn people(
    site: &dyn Site,
    realm: Option<&str>,
) -> Result<(Vec<String>, Option<String>), String> {
    let realm = realm.map(str::to_lowercase);
    let is_asked = |person: &KnownPerson| match &realm {
        Some(realm) => person.realm == *realm,
        None => person.realm != TOKEN_REALM,
    };
    let (mut names, mut last) = (BTreeSet::new(), None);
    loop {
        let page = site.known_people(last, PAGE).await;
        let page = page.map_err(|error| error.to_string())?;
        last = page.last().cloned();
        if last.is_none() {
            return Ok((names.into_iter().collect(), None));
        }
        for person in page.into_iter().filter(is_asked) {
            if names.len() >= PEOPLE_LIMIT {
                let note = format!(
                    "only {PEOPLE_LIMIT} people of the site are asked for by name; of others only \
                     the groups that list them are known"
                );
                return Ok((names.into_iter().collect(), Some(note)));
            }
            names.insert(person.account);
        }
    }
}

/// What was answered: groups by their numbers, and which accounts are in them.
#[derive(Debug, Default)]
struct Gathered {
    groups: HashMap<u32, SystemGroup>,
    /// Accounts by the numbers of groups that they are in, without being listed there.
    more: BTreeSet<(u32, String)>,
}

async fn gather(service: &NameService, people: &[String]) -> io::Result<Gathered> {
    let mut all = Gathered::default();
    all.add(service.groups(&[], ANSWER_WITHIN).await?);
    for account in service.accounts(&[], ANSWER_WITHIN).await? {
        all.more.insert((account.group, account.name));
    }
    for names in people.chunks(NAMES_AT_ONCE) {
        for account in service.accounts(names, ANSWER_WITHIN).await? {
            all.more.insert((account.group, account.name));
        }
        for (name, numbers) in service.groups_of(names, ANSWER_WITHIN).await? {
            let numbers = numbers.into_iter();
            all.more
                .extend(numbers.map(|number| (number, name.clone())));
        }
    }
    let unknown: BTreeSet<u32> = all
        .more
        .iter()
        .map(|(number, _)| *number)
        .filter(|number| !all.groups.contains_key(number))
        .collect();
    let unknown: Vec<String> = unknown.iter().map(u32::to_string).collect();
    for numbers in unknown.chunks(NAMES_AT_ONCE) {
        all.add(service.groups(numbers, ANSWER_WITHIN).await?);
    }
    Ok(all)
}

impl Gathered {
    fn add(&mut self, groups: Vec<SystemGroup>) {
        for group in groups {
            // The first of two with one number is the one that others see.
            self.groups.entry(group.number).or_insert(group);
        }
    }

    /// The accounts that were told by themselves, not as members of a group.
    fn accounts(&self) -> HashSet<&str> {
        self.more
            .iter()
            .map(|(_, account)| account.as_str())
            .collect()
    }

    /// In the order of groups and members, so that the same answer is the same text. `strangers`,
    /// and names that no person or group can have, are left out.
    fn entries(&self, realm: Option<&str>, strangers: &HashSet<&str>) -> Vec<Entry> {
        let mut members: BTreeSet<(String, Option<Name>)> = BTreeSet::new();
        let mut enter = |group: &str, account: Option<&str>| {
            if account.is_some_and(|account| strangers.contains(account)) {
                return;
            }
            let Ok(group) = group_name(group) else { return };
            match account.map(|account| name(account, realm)) {
                // Its name is no person's.
                Some(None) => false,
                Some(name) => members.insert((group, name)),
                None => members.insert((group, None)),
            };
        };
        for group in self.groups.values() {
            enter(&group.name, None);
            for account in &group.members {
                enter(&group.name, Some(account));
            }
        }
        for (number, account) in &self.more {
            if let Some(group) = self.groups.get(number) {
                enter(&group.name, Some(account));
            }
        }
        let entry = |(group, name): (String, Option<Name>)| Entry {
            group,
            member: name.map(Member::Person),
        };
        members.into_iter().map(entry).collect()
    }
}

/// An account of the name service as a person. One of the realm's domain is of the realm; other
/// text in it, `@` and `\` too, is the account.
fn name(account: &str, realm: Option<&str>) -> Option<Name> {
    let is_realm = |domain: &str| {
        let realm = realm?;
        (domain.to_lowercase() == realm.to_lowercase()).then_some(realm)
    };
    let (realm, account) = match split(account, is_realm) {
        Some((realm, account)) => (Some(realm), account),
        None => (realm, account),
    };
    Name::of(realm, account).ok()
}

impl Told {
    /// Fails if an answer lacks most of what directories told before, as when one is away: `getent`
    /// then answers as if it were empty. A day after the trouble began, at `since_ms` in Unix
    /// milliseconds, it is believed all the same.
    pub(super) fn must_be_credible(
        &self,
        before: &[Entry],
        since_ms: i64,
        now_ms: i64,
    ) -> Result<(), String> {
        let own = memberships(&self.own);
        let now = memberships(&self.entries);
        let before: Vec<_> = memberships(before).difference(&own).copied().collect();
        let stay = before.iter().filter(|it| now.contains(*it)).count();
        let is_old = now_ms.saturating_sub(since_ms) >= DOUBTED_MS;
        if before.len() < FEW || stay * 2 >= before.len() || is_old {
            return Ok(());
        }
        Err(format!(
            "the name service tells {stay} of {} memberships that directories told before: one of \
             them may be away",
            before.len()
        ))
    }
}

/// Who is in which group, without groups that have nobody.
fn memberships(entries: &[Entry]) -> HashSet<(&str, &Name)> {
    let people = entries.iter().filter_map(|entry| match &entry.member {
        Some(Member::Person(name)) => Some((entry.group.as_str(), name)),
        _ => None,
    });
    people.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{SourceState, Trouble};
    use super::*;

    fn told(groups: &[(u32, &str, &[&str])], more: &[(u32, &str)]) -> Gathered {
        let mut all = Gathered::default();
        let group = |(number, name, members): &(u32, &str, &[&str])| SystemGroup {
            name: (*name).to_owned(),
            number: *number,
            members: members.iter().map(|it| (*it).to_owned()).collect(),
        };
        all.add(groups.iter().map(group).collect());
        let more = more
            .iter()
            .map(|(number, name)| (*number, (*name).to_owned()));
        all.more.extend(more);
        all
    }

    fn shown(entries: &[Entry]) -> Vec<String> {
        let entries = entries.iter().map(|entry| match &entry.member {
            Some(Member::Person(name)) => format!("{}: {name}", entry.group),
            _ => format!("{}:", entry.group),
        });
        entries.collect()
    }

    #[test]
    fn those_whose_main_group_it_is_are_in_it_too() {
        let all = told(
            &[(100, "users", &[]), (27, "cfd", &["ann"])],
            &[(100, "ann"), (27, "ann"), (999, "bob")],
        );
        let entries = all.entries(None, &HashSet::new());
        assert_eq!(
            shown(&entries),
            ["cfd:", "cfd: ann", "users:", "users: ann"]
        );
    }

    #[test]
    fn accounts_are_of_the_realm_whether_they_name_its_domain_or_none() {
        let members: &[&str] = &["ann", r"CORP.example\bob", "cy@home", "", "eve"];
        let all = told(&[(1, "cfd", members), (1, "other", &["dan"])], &[]);
        let entries = all.entries(Some("corp.example"), &HashSet::from(["eve"]));
        assert_eq!(
            shown(&entries),
            [
                "cfd:",
                r"cfd: corp.example\ann",
                r"cfd: corp.example\bob",
                r"cfd: corp.example\cy@home"
            ]
        );
    }

    #[test]
    fn an_answer_that_lacks_most_of_what_directories_told_is_doubted_for_a_day() {
        let entries = |group: &str, count: usize| -> Vec<Entry> {
            let names = (0..count).map(|number| Entry {
                group: group.to_owned(),
                member: Name::of(None, &format!("p{number}"))
                    .ok()
                    .map(Member::Person),
            });
            names.collect()
        };
        let own = entries("own", 1_000);
        let check = |before, now, at_ms| {
            let told = Told {
                entries: [entries("cfd", now), own.clone()].concat(),
                own: own.clone(),
                note: None,
            };
            let before = [entries("cfd", before), own.clone()].concat();
            told.must_be_credible(&before, 1_000, 1_000 + at_ms)
        };
        check(100, 50, 0).unwrap();
        check(100, 200, 0).unwrap();
        check(FEW - 1, 0, 0).unwrap();
        check(0, 100, 0).unwrap();
        let why = check(100, 49, DOUBTED_MS - 1).unwrap_err();
        assert!(why.contains("49 of 100"), "{why}");
        check(FEW, 0, 0).unwrap_err();
        check(100, 0, DOUBTED_MS).unwrap();
    }

    #[test]
    fn an_answer_is_doubted_from_the_first_trouble_on_however_old_is_what_is_known() {
        let now_ms = 30 * DOUBTED_MS;
        let mut state = SourceState {
            name: "system".to_owned(),
            as_of_ms: Some(0),
            trouble: None,
            note: None,
        };
        let told = Told {
            entries: Vec::new(),
            own: Vec::new(),
            note: None,
        };
        let before = ["ann", "bob", "cid", "dan"].map(|account| Entry {
            group: "cfd".to_owned(),
            member: Name::of(None, account).ok().map(Member::Person),
        });
        let check = |state: &SourceState, now_ms: i64| {
            told.must_be_credible(&before, state.troubled_since_ms(now_ms), now_ms)
        };
        let why = check(&state, now_ms).unwrap_err();
        let since_ms = now_ms;
        state.trouble = Some(Trouble { why, since_ms });
        check(&state, now_ms + DOUBTED_MS - 1).unwrap_err();
        check(&state, now_ms + DOUBTED_MS).unwrap();
    }
}
