//! Rows with a key that is their source's, whatever the import: what is there already is kept once, as
//! [`crate::imports`] says.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Param, params};
use crate::imports::{Became, FINISHED, Kept, Known, Target};

pub(super) use crate::imports::KEYED as TABLES;

/// Puts a row into one of [`TABLES`]. `rank` says how much is known: a row of a higher one takes the
/// place of one that is there.
pub(super) fn put(
    db: &Db,
    target: Target,
    table: &'static str,
    (key, rank): (&str, i64),
    columns: &[(&str, Param)],
) -> Result<Became> {
    let known = known(db, target, table, key)?;
    if !known.is_more(rank) {
        return Ok(Became::AlreadyThere);
    }
    for number in known.own.into_iter().chain(known.between()) {
        let sql = format!("DELETE FROM {table} WHERE number = $1");
        db.run(&sql, &params![number])?;
    }
    let has_others = known.others > 0;
    if has_others {
        let sql =
            format!("UPDATE {table} SET others = 1 WHERE source = $1 AND key = $2 AND others = 0");
        db.run(&sql, &params![target.source, key])?;
    }
    let own = ["source", "key", "import", "rank", "others"];
    let mut values = params![
        target.source,
        key,
        target.import,
        rank,
        i64::from(has_others)
    ]
    .to_vec();
    values.extend(columns.iter().map(|(_, value)| value.clone()));
    let names = own.into_iter().chain(columns.iter().map(|(name, _)| *name));
    db.run(&super::insert(table, names), &values)?;
    Ok(known.becomes())
}

/// The rows that a key has.
fn known(db: &Db, target: Target, table: &str, key: &str) -> Result<Known> {
    let sql = format!(
        "SELECT t.number, t.rank, t.import, i.state FROM {table} t \
         JOIN imports i ON i.number = t.import \
         WHERE t.source = $1 AND t.key = $2 ORDER BY t.number"
    );
    let mut known = Known::default();
    db.each(&sql, &params![target.source, key], |row| {
        let kept = Kept {
            number: row.get(0)?,
            rank: row.get(1)?,
        };
        let is_own = row.get::<i64>(2)? == target.import;
        let is_finished = row.get::<i64>(3)? == FINISHED;
        known.note(kept, is_own, is_finished);
        Ok(())
    })?;
    Ok(known)
}
