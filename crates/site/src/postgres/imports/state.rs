//! What is owned and limited, as a file has it: a state, of which each import keeps its own, and the last
//! finished one of a source and kind is valid.

use std::collections::{BTreeMap, HashSet};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Param, params};
use super::keyed::texts;
use super::table::{Row, Table};
use crate::imports::{Became, Counts, FINISHED, STATES_KEPT, Target};

pub(super) use crate::imports::STATES as TABLES;

/// The import whose state is valid.
pub(super) fn valid(db: &Db, source: i64, kind: &str) -> Result<Option<i64>> {
    behind(db, source, kind, 0)
}

/// The import with so many finished ones after it.
fn behind(db: &Db, source: i64, kind: &str, after: u32) -> Result<Option<i64>> {
    let sql = "SELECT number FROM imports WHERE source = $1 AND kind = $2 AND state = $3 \
               ORDER BY finish_order DESC LIMIT 1 OFFSET $4";
    let values = params![source, kind, FINISHED, after];
    db.optional(sql, &values, |row| row.get(0))
}

/// What each row of such a table begins with.
const OWN: [(&str, &str); 2] = [("import", "bigint"), ("key", "text")];

/// Puts rows into one of [`TABLES`]: one is there already if it is of the state that is valid.
pub(super) fn put(
    db: &Db,
    target: Target,
    table: &Table,
    rows: &[Row<'_>],
    counts: &mut Counts,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    // Of those with the same key the first is kept.
    let mut first: BTreeMap<&str, &Row<'_>> = BTreeMap::new();
    for row in rows {
        first.entry(row.key).or_insert(row);
    }
    let values = first.values().map(|row| {
        let mut values = params![target.import, row.key].to_vec();
        values.extend(row.values.iter().cloned());
        values
    });
    let values: Vec<Vec<Param>> = values.collect();
    let mut new: HashSet<String> = HashSet::with_capacity(values.len());
    let more = "ON CONFLICT DO NOTHING RETURNING key";
    table.insert(db, &OWN, &values, more, |key| {
        new.insert(key);
    })?;
    if let Some(valid) = target.valid.filter(|_| !new.is_empty()) {
        let name = table.name;
        let sql = format!("SELECT key FROM {name} WHERE import = $1 AND key = ANY ($2::text[])");
        let mut asked = params![valid].to_vec();
        asked.push(texts(first.keys().copied()));
        db.each(&sql, &asked, |row| {
            new.remove(&row.get::<String>(0)?);
            Ok(())
        })?;
    }
    for row in rows {
        counts.add(match new.remove(row.key) {
            true => Became::Added,
            false => Became::AlreadyThere,
        });
    }
    Ok(())
}

/// Forgets the state of the import that is one too many since this one was finished.
pub(super) fn forget_old(db: &Db, finished: i64) -> Result<()> {
    let sql = "SELECT source, kind FROM imports WHERE number = $1";
    let (source, kind) = db.one(sql, &params![finished], |row| {
        Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
    })?;
    let Some(old) = behind(db, source, &kind, STATES_KEPT)? else {
        return Ok(());
    };
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE import = $1");
        db.run(&sql, &params![old])?;
    }
    Ok(())
}
