//! Rows with a key that is their source's, whatever the import: what is there already is kept once.
//!
//! A row is written for an import if it says more than what counts so far. So an import that is removed,
//! or never finished, leaves what was there before as it was, and several imports of one source may run
//! side by side. Of a key at most the first row, the best one and those of imports that are not finished
//! are kept.

use rusqlite::{Connection, Result, ToSql, params};

use super::known::{Kept, Known};
use super::{Became, FINISHED, Target};

/// The tables of such rows.
pub(crate) const TABLES: [&str; 7] = [
    "import_uses",
    "import_denials",
    "import_waits",
    "import_levels",
    "import_sums",
    "import_silences",
    "import_peaks",
];

/// Puts a row into one of [`TABLES`]. `rank` says how much is known: a row of a higher one takes the
/// place of one that is there.
pub(super) fn put(
    connection: &Connection,
    target: Target,
    table: &'static str,
    (key, rank): (&str, i64),
    columns: &[(&str, &dyn ToSql)],
) -> Result<Became> {
    let known = known(connection, target, table, key)?;
    if !known.is_more(rank) {
        return Ok(Became::AlreadyThere);
    }
    for number in known.own.into_iter().chain(known.between()) {
        delete(connection, table, number)?;
    }
    let has_others = known.others > 0;
    if has_others {
        connection
            .prepare_cached(&format!(
                "UPDATE {table} SET others = 1 WHERE source = ?1 AND key = ?2 AND others = 0"
            ))?
            .execute(params![target.source, key])?;
    }
    let all: [(&str, &dyn ToSql); 5] = [
        ("source", &target.source),
        ("key", &key),
        ("import", &target.import),
        ("rank", &rank),
        ("others", &has_others),
    ];
    let names: Vec<&str> = all.iter().chain(columns).map(|(name, _)| *name).collect();
    let values: Vec<&dyn ToSql> = all.iter().chain(columns).map(|(_, value)| *value).collect();
    let places = vec!["?"; names.len()].join(", ");
    let names = names.join(", ");
    connection
        .prepare_cached(&format!("INSERT INTO {table} ({names}) VALUES ({places})"))?
        .execute(values.as_slice())?;
    Ok(known.becomes())
}

fn delete(connection: &Connection, table: &str, number: i64) -> Result<()> {
    connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE number = ?1"))?
        .execute([number])
        .map(drop)
}

/// The rows that a key has.
fn known(connection: &Connection, target: Target, table: &str, key: &str) -> Result<Known> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT t.number, t.rank, t.import, i.state FROM {table} t \
         JOIN imports i ON i.number = t.import \
         WHERE t.source = ?1 AND t.key = ?2 ORDER BY t.number"
    ))?;
    let mut rows = statement.query(params![target.source, key])?;
    let mut known = Known::default();
    while let Some(row) = rows.next()? {
        let kept = Kept {
            number: row.get(0)?,
            rank: row.get(1)?,
        };
        let is_own = row.get::<_, i64>(2)? == target.import;
        let is_finished = row.get::<_, i64>(3)? == FINISHED;
        known.note(kept, is_own, is_finished);
    }
    Ok(known)
}
