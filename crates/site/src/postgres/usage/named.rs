//! The names behind surrogates.

use std::collections::{HashMap, HashSet};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, Row, params};
use crate::columns::unsigned;
use crate::usage::{Name, Named, Needed};

/// Looks up what the site knows of them.
pub(super) fn named(db: &Db, needed: &Needed) -> Result<Named> {
    let sql = "SELECT id, name, realm FROM history_people WHERE id = ANY($1::bigint[])";
    let people = known(db, sql, &needed.people, |row| {
        Ok(Name {
            realm: Some(row.get(2)?),
            name: Some(row.get(1)?),
        })
    })?;
    let sql = "SELECT id, name FROM history_computers WHERE id = ANY($1::bigint[])";
    let computers = known(db, sql, &needed.computers, |row| {
        Ok(Name {
            realm: None,
            name: Some(row.get(1)?),
        })
    })?;
    Ok(Named { people, computers })
}

/// Numbers above those of a bigint are of what the site does not know yet.
fn known(
    db: &Db,
    sql: &str,
    ids: &HashSet<u64>,
    read: impl Fn(&Row) -> Result<Name>,
) -> Result<HashMap<u64, Name>> {
    let numbers = ids.iter().filter_map(|id| i64::try_from(*id).ok());
    let rows: Vec<Vec<Param>> = numbers.map(|id| params![id].to_vec()).collect();
    let mut known = HashMap::with_capacity(rows.len());
    if rows.is_empty() {
        return Ok(known);
    }
    db.each(sql, Arrays::of(&rows).params(), |row| {
        known.insert(unsigned(row.get(0)?), read(row)?);
        Ok(())
    })?;
    Ok(known)
}
