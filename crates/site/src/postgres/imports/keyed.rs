//! Rows with a key that is their source's, whatever the import: what is there already is kept once, as
//! [`crate::imports`] says. The rows of a body for one table are put in together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Param, params};
use super::table::{Row, Table};
use crate::imports::{Became, Counts, FINISHED, Kept, Known, Target};

pub(super) use crate::imports::KEYED as TABLES;

/// What each row of such a table begins with.
const OWN: [(&str, &str); 5] = [
    ("source", "bigint"),
    ("key", "text"),
    ("import", "bigint"),
    ("rank", "bigint"),
    ("others", "bigint"),
];

/// The number of a row that is not written yet: it comes after all others.
const NEW: i64 = i64::MAX;

/// A row of a key.
struct There {
    kept: Kept,
    is_own: bool,
    is_finished: bool,
}

/// Puts rows into one of [`TABLES`], one after another in their order: a row of a higher rank takes the
/// place of one that is there.
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
    let mut all = there(db, target, table.name, rows)?;
    let mut gone: Vec<i64> = Vec::new();
    let mut with_others: BTreeSet<&str> = BTreeSet::new();
    // Of each key the import has one row.
    let mut new: BTreeMap<&str, (&Row<'_>, bool)> = BTreeMap::new();
    for row in rows {
        let of_key = all.entry(row.key.to_owned()).or_default();
        let mut known = Known::default();
        for it in of_key.iter() {
            known.note(it.kept, it.is_own, it.is_finished);
        }
        if !known.is_more(row.rank) {
            counts.add(Became::AlreadyThere);
            continue;
        }
        counts.add(known.becomes());
        let replaced: Vec<i64> = known.own.into_iter().chain(known.between()).collect();
        of_key.retain(|it| !replaced.contains(&it.kept.number));
        gone.extend(replaced.into_iter().filter(|number| *number != NEW));
        let has_others = known.others > 0;
        if has_others {
            with_others.insert(row.key);
        }
        of_key.push(There {
            kept: Kept {
                number: NEW,
                rank: row.rank,
            },
            is_own: true,
            is_finished: false,
        });
        new.insert(row.key, (row, has_others));
    }
    write(db, target, table, (&gone, &with_others), &new)
}

fn write(
    db: &Db,
    target: Target,
    table: &Table,
    (gone, with_others): (&[i64], &BTreeSet<&str>),
    new: &BTreeMap<&str, (&Row<'_>, bool)>,
) -> Result<()> {
    let name = table.name;
    if !gone.is_empty() {
        let numbers = Param::Ints(gone.iter().map(|number| Some(*number)).collect());
        let sql = format!("DELETE FROM {name} WHERE number = ANY ($1::bigint[])");
        db.run(&sql, &[numbers])?;
    }
    if !with_others.is_empty() {
        let sql = format!(
            "UPDATE {name} SET others = 1 WHERE source = $1 AND key = ANY ($2::text[]) \
             AND others = 0"
        );
        let mut values = params![target.source].to_vec();
        values.push(texts(with_others.iter().copied()));
        db.run(&sql, &values)?;
    }
    let rows = new.values().map(|(row, has_others)| {
        let others = i64::from(*has_others);
        let mut values = params![target.source, row.key, target.import, row.rank, others].to_vec();
        values.extend(row.values.iter().cloned());
        values
    });
    let rows: Vec<Vec<Param>> = rows.collect();
    table.insert(db, &OWN, &rows, "", |_| ())
}

/// Keys as an array.
pub(super) fn texts<'k>(keys: impl Iterator<Item = &'k str>) -> Param {
    let keys = keys.map(|key| match params![key] {
        [Param::Text(text)] => text,
        _ => None,
    });
    Param::Texts(keys.collect())
}

/// The rows that these keys have, in their order.
fn there(
    db: &Db,
    target: Target,
    table: &str,
    rows: &[Row<'_>],
) -> Result<HashMap<String, Vec<There>>> {
    let sql = format!(
        "SELECT t.key, t.number, t.rank, t.import, i.state FROM {table} t \
         JOIN imports i ON i.number = t.import \
         WHERE t.source = $1 AND t.key = ANY ($2::text[]) ORDER BY t.number"
    );
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key).collect();
    let mut values = params![target.source].to_vec();
    values.push(texts(keys.into_iter()));
    let mut all: HashMap<String, Vec<There>> = HashMap::new();
    db.each(&sql, &values, |row| {
        let there = There {
            kept: Kept {
                number: row.get(1)?,
                rank: row.get(2)?,
            },
            is_own: row.get::<i64>(3)? == target.import,
            is_finished: row.get::<i64>(4)? == FINISHED,
        };
        all.entry(row.get(0)?).or_default().push(there);
        Ok(())
    })?;
    Ok(all)
}
