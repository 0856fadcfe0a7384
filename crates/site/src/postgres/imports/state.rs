//! What is owned and limited, as a file has it: a state, of which each import keeps its own, and the last
//! finished one of a source and kind is valid.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Param, params};
use crate::imports::{Became, FINISHED, STATES_KEPT, Target};

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

/// Puts a row into one of [`TABLES`]: it is there already if it is of the state that is valid.
pub(super) fn put(
    db: &Db,
    target: Target,
    table: &'static str,
    key: &str,
    columns: &[(&str, Param)],
) -> Result<Became> {
    let mut values = params![target.import, key].to_vec();
    values.extend(columns.iter().map(|(_, value)| value.clone()));
    let own = ["import", "key"].into_iter();
    let names = own.chain(columns.iter().map(|(name, _)| *name));
    let sql = super::insert(table, names);
    let is_new = db.run(&format!("{sql} ON CONFLICT DO NOTHING"), &values)?;
    let Some(valid) = target.valid.filter(|_| is_new > 0) else {
        return Ok(match is_new {
            0 => Became::AlreadyThere,
            _ => Became::Added,
        });
    };
    let sql = format!("SELECT 1 FROM {table} WHERE import = $1 AND key = $2");
    Ok(match db.exists(&sql, &params![valid, key])? {
        true => Became::AlreadyThere,
        false => Became::Added,
    })
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
