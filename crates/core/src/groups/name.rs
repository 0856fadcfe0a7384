//! A member of a group, as people write it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::composed;
use crate::people::{LocalAccounts, NotAPerson, Person};

/// Bytes of a group's name at the most.
pub const GROUP_LIMIT_BYTES: usize = 255;

/// What a member begins with if it is a group.
const GROUP_MARK: char = '@';

/// A person as a group names one: an account, and its realm if that is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The realm, as it is compared; none: the account counts in every realm.
    pub realm: Option<String>,
    /// The account as it was written, without the realm.
    pub account: String,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// A person.
    Person(Name),
    /// All members of another group, by its name.
    Group(String),
}

impl Name {
    /// Reads `REALM\ACCOUNT`, `ACCOUNT@REALM` or `ACCOUNT`. A `\` counts before an `@`, the last
    /// `@` before others. An account without a realm is of `realm`, if there is one.
    ///
    /// # Errors
    /// Says why it names nobody.
    pub fn read(text: &str, realm: Option<&str>) -> Result<Name, String> {
        let wrong = |why: &dyn fmt::Display| format!("{text:?} names nobody: {why}");
        if text.contains(char::is_control) {
            return Err(wrong(&"it has a control character"));
        }
        let parts = match text.split_once('\\') {
            Some(parts) => Some(parts),
            None => text
                .rsplit_once('@')
                .map(|(account, realm)| (realm, account)),
        };
        let (realm, account) = match parts {
            Some((realm, account)) => (Some(realm), account),
            None => (realm, text),
        };
        Name::of(realm, account).map_err(|why| wrong(&why))
    }

    /// An account of a realm, or without one.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn of(realm: Option<&str>, account: &str) -> Result<Name, NotAPerson> {
        // An account without a realm is checked as any directory's.
        let any = realm.unwrap_or("any");
        let person = Person::of(any, account, LocalAccounts::ByComputer)?;
        Ok(Name {
            realm: realm.is_some().then_some(person.realm),
            account: match realm {
                Some(_) => person.account,
                None => composed(account).into_owned(),
            },
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.realm {
            Some(realm) => write!(f, "{realm}\\{}", self.account),
            None => f.write_str(&self.account),
        }
    }
}

impl Member {
    /// Reads a person as [`Name::read`] does, or `@GROUP`.
    ///
    /// # Errors
    /// Says why it names neither.
    pub fn read(text: &str, realm: Option<&str>) -> Result<Member, String> {
        match text.strip_prefix(GROUP_MARK) {
            Some(group) => group_name(group).map(Member::Group),
            None => Name::read(text, realm).map(Member::Person),
        }
    }
}

/// The name of a group, composed.
///
/// # Errors
/// Says why it is none.
pub fn group_name(text: &str) -> Result<String, String> {
    let name = composed(text);
    let why = match name.len() {
        0 => "it is empty".to_owned(),
        bytes if bytes > GROUP_LIMIT_BYTES => {
            format!("it has {bytes} bytes: give at most {GROUP_LIMIT_BYTES}")
        }
        _ if name.starts_with(GROUP_MARK) => {
            format!("it begins with {GROUP_MARK}, which marks a group as a member")
        }
        _ if name.contains(char::is_control) => "it has a control character".to_owned(),
        _ => return Ok(name.into_owned()),
    };
    Err(format!("{text:?} is no name of a group: {why}"))
}
