//! What is owned and limited, as a file has it: a state, of which each import keeps its own, and the last
//! finished one of a source and kind is valid.

use rusqlite::{Connection, OptionalExtension, Result, ToSql, params};

use super::{Became, FINISHED, Target};

/// The tables of such rows.
pub(crate) const TABLES: [&str; 2] = ["import_entitlements", "import_limits"];

/// Of so many imports of a source and kind the state is kept: of the valid one, and of those before it
/// that become valid if it is removed.
pub(crate) const STATES_KEPT: u32 = 8;

/// The import whose state is valid.
pub(super) fn valid(connection: &Connection, source: i64, kind: &str) -> Result<Option<i64>> {
    behind(connection, source, kind, 0)
}

/// The import with so many finished ones after it.
fn behind(connection: &Connection, source: i64, kind: &str, after: u32) -> Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT number FROM imports WHERE source = ?1 AND kind = ?2 AND state = ?3 \
             ORDER BY finish_order DESC LIMIT 1 OFFSET ?4",
        )?
        .query_row(params![source, kind, FINISHED, after], |row| row.get(0))
        .optional()
}

/// Puts a row into one of [`TABLES`]: it is there already if it is of the state that is valid.
pub(super) fn put(
    connection: &Connection,
    target: Target,
    table: &'static str,
    key: &str,
    columns: &[(&str, &dyn ToSql)],
) -> Result<Became> {
    let all: [(&str, &dyn ToSql); 2] = [("import", &target.import), ("key", &key)];
    let names: Vec<&str> = all.iter().chain(columns).map(|(name, _)| *name).collect();
    let values: Vec<&dyn ToSql> = all.iter().chain(columns).map(|(_, value)| *value).collect();
    let places = vec!["?"; names.len()].join(", ");
    let names = names.join(", ");
    let is_new = connection
        .prepare_cached(&format!(
            "INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"
        ))?
        .execute(values.as_slice())?;
    let Some(valid) = target.valid.filter(|_| is_new > 0) else {
        return Ok(match is_new {
            0 => Became::AlreadyThere,
            _ => Became::Added,
        });
    };
    let is_there = connection
        .prepare_cached(&format!(
            "SELECT 1 FROM {table} WHERE import = ?1 AND key = ?2"
        ))?
        .exists(params![valid, key])?;
    Ok(match is_there {
        true => Became::AlreadyThere,
        false => Became::Added,
    })
}

/// Forgets the state of the import that is one too many since this one was finished.
pub(super) fn forget_old(connection: &Connection, finished: i64) -> Result<()> {
    let (source, kind): (i64, String) = connection
        .prepare_cached("SELECT source, kind FROM imports WHERE number = ?1")?
        .query_row([finished], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(old) = behind(connection, source, &kind, STATES_KEPT)? else {
        return Ok(());
    };
    for table in TABLES {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE import = ?1"))?
            .execute([old])?;
    }
    Ok(())
}
