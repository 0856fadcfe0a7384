//! The people whom the collected history and imports name.

use rusqlite::{Connection, Result, params};

/// A person whom the site knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownPerson {
    /// The realm.
    pub realm: String,
    /// The account in it, as it is compared.
    pub account: String,
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
