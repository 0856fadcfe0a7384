//! The people whom the collected history and imports name.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::columns::unsigned;
use crate::people::{KnownPerson, NumberedPerson, after_id};

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

/// Those with a higher number, in the order of the numbers, at most `limit`.
pub(super) fn numbered(db: &Db, after: Option<u64>, limit: u32) -> Result<Vec<NumberedPerson>> {
    let sql = "SELECT id, realm, account FROM history_people WHERE id > $1 ORDER BY id LIMIT $2";
    db.all(sql, &params![after_id(after), limit], |row| {
        Ok(NumberedPerson {
            number: unsigned(row.get(0)?),
            person: KnownPerson {
                realm: row.get(1)?,
                account: row.get(2)?,
            },
        })
    })
}
