//! The names behind surrogates.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Result, Row};

use crate::used::RunningUse;

/// What people call somebody or something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    /// Of a person.
    pub(crate) realm: Option<String>,
    /// None: it is not known any more.
    pub(crate) name: Option<String>,
}

impl Name {
    /// What a server told of a person whom the site may not know yet.
    pub(super) fn told_person(told: &RunningUse) -> Name {
        Name {
            realm: told.realm.clone(),
            name: Some(told.user.clone()),
        }
    }

    /// What a server told of a computer.
    pub(super) fn told_computer(told: &RunningUse) -> Name {
        Name {
            realm: None,
            name: Some(told.computer.clone()),
        }
    }
}

/// Surrogates whose names an answer needs.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    pub(crate) people: HashSet<u64>,
    pub(crate) computers: HashSet<u64>,
}

/// The names that the site knows.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) people: HashMap<u64, Name>,
    pub(crate) computers: HashMap<u64, Name>,
}

impl Named {
    /// The name of a person; none: the site does not know it.
    pub(super) fn person(&self, id: Option<u64>) -> Option<Name> {
        self.people.get(&id?).cloned()
    }

    /// The name of a computer, in the same way.
    pub(super) fn computer(&self, id: Option<u64>) -> Option<Name> {
        self.computers.get(&id?).cloned()
    }
}

/// Looks up what the site knows of them.
pub(super) fn named(connection: &Connection, needed: &Needed) -> Result<Named> {
    let sql = "SELECT realm, name FROM history_people WHERE id = ?1";
    let people = known(connection, sql, &needed.people, |row| {
        Ok(Name {
            realm: Some(row.get(0)?),
            name: Some(row.get(1)?),
        })
    })?;
    let sql = "SELECT name FROM history_computers WHERE id = ?1";
    let computers = known(connection, sql, &needed.computers, |row| {
        Ok(Name {
            realm: None,
            name: Some(row.get(0)?),
        })
    })?;
    Ok(Named { people, computers })
}

/// Numbers above SQLite's are of what the site does not know yet.
fn known(
    connection: &Connection,
    sql: &str,
    ids: &HashSet<u64>,
    read: impl Fn(&Row<'_>) -> Result<Name>,
) -> Result<HashMap<u64, Name>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut known = HashMap::new();
    for id in ids {
        let Ok(number) = i64::try_from(*id) else {
            continue;
        };
        if let Some(name) = statement.query_row([number], &read).optional()? {
            known.insert(*id, name);
        }
    }
    Ok(known)
}
