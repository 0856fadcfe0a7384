//! The names behind surrogates.

use rusqlite::{Connection, OptionalExtension, Result};

use crate::used::RunningUse;

/// What people call somebody or something.
#[derive(Debug, Clone, Default)]
pub(super) struct Name {
    /// Of a person.
    pub(super) realm: Option<String>,
    /// None: it is not known any more.
    pub(super) name: Option<String>,
}

/// The name of a person; of one that the site does not know yet it is what a server told of
/// something that runs.
pub(super) fn person(
    connection: &Connection,
    id: Option<u64>,
    told: Option<&RunningUse>,
) -> Result<Name> {
    let sql = "SELECT realm, name FROM history_people WHERE id = ?1";
    let found = connection.prepare_cached(sql)?;
    let known = known(found, id, |row| {
        Ok(Name {
            realm: Some(row.get(0)?),
            name: Some(row.get(1)?),
        })
    })?;
    let told = told.map(|told| Name {
        realm: told.realm.clone(),
        name: Some(told.user.clone()),
    });
    Ok(known.or(told).unwrap_or_default())
}

/// The name of a computer, in the same way.
pub(super) fn computer(
    connection: &Connection,
    id: Option<u64>,
    told: Option<&RunningUse>,
) -> Result<Name> {
    let sql = "SELECT name FROM history_computers WHERE id = ?1";
    let found = connection.prepare_cached(sql)?;
    let known = known(found, id, |row| {
        Ok(Name {
            realm: None,
            name: Some(row.get(0)?),
        })
    })?;
    let told = told.map(|told| Name {
        realm: None,
        name: Some(told.computer.clone()),
    });
    Ok(known.or(told).unwrap_or_default())
}

/// What the site knows; numbers above SQLite's are of what it does not know yet.
fn known(
    mut statement: rusqlite::CachedStatement<'_>,
    id: Option<u64>,
    read: impl FnOnce(&rusqlite::Row<'_>) -> Result<Name>,
) -> Result<Option<Name>> {
    match id.and_then(|id| i64::try_from(id).ok()) {
        Some(id) => statement.query_row([id], read).optional(),
        None => Ok(None),
    }
}
