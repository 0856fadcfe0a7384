//! The people whom the collected history and imports name.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::people::KnownPerson;

/// Those after that one in the order of realms and accounts, at most `limit`.
pub(super) fn after(db: &Db, person: Option<&KnownPerson>, limit: u32) -> Result<Vec<KnownPerson>> {
    let (realm, account) = person.map_or(("", ""), |it| (it.realm.as_str(), it.account.as_str()));
    let sql = "SELECT realm, account FROM history_people WHERE (realm, account) > ($1, $2) \
               ORDER BY realm, account LIMIT $3";
    db.all(sql, &params![realm, account, limit], |row| {
        Ok(KnownPerson {
            realm: row.get(0)?,
            account: row.get(1)?,
        })
    })
}
