//! The people whom the collected history and imports name.

use rusqlite::{Connection, Result, params};

use crate::columns::{signed, unsigned};

/// A person whom the site knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownPerson {
    /// The realm.
    pub realm: String,
    /// The account in it, as it is compared.
    pub account: String,
}

/// A person, and the number by which the site knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedPerson {
    /// The number: it tells nothing, not even the order of arrival.
    pub number: u64,
    /// Who it is.
    pub person: KnownPerson,
}

/// Those after that one in the order of realms and accounts, at most `limit`.
pub(crate) fn after(
    connection: &Connection,
    person: Option<&KnownPerson>,
    limit: u32,
) -> Result<Vec<KnownPerson>> {
    let (realm, account) = person.map_or(("", ""), |it| (it.realm.as_str(), it.account.as_str()));
    let mut statement = connection.prepare_cached(
        "SELECT realm, account FROM history_people WHERE (realm, account) > (?1, ?2) \
         ORDER BY realm, account LIMIT ?3",
    )?;
    let rows = statement.query_map(params![realm, account, limit], |row| {
        Ok(KnownPerson {
            realm: row.get(0)?,
            account: row.get(1)?,
        })
    })?;
    rows.collect()
}

/// Those with a higher number, in the order of the numbers, at most `limit`.
pub(crate) fn numbered(
    connection: &Connection,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<NumberedPerson>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, realm, account FROM history_people WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after_id(after), limit], |row| {
        Ok(NumberedPerson {
            number: unsigned(row.get(0)?),
            person: KnownPerson {
                realm: row.get(1)?,
                account: row.get(2)?,
            },
        })
    })?;
    rows.collect()
}

/// The id after which people are wanted. None is below 0.
pub(crate) fn after_id(after: Option<u64>) -> i64 {
    after.map_or(-1, signed)
}
