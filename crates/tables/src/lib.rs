//! usher-tables: whether a SQLite file has the tables that a build makes.
//!
//! A file's schema number says which release's tables it has. A development build may make other
//! tables under the number of the next release, and a build that trusts the number alone finds out
//! at its first write. [`differences`] compares what is there with what this build makes, before
//! anything is written.
//!
//! It knows nothing of what the tables hold.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result, ToSql};

/// Differences that are told; more are counted.
const TOLD: usize = 5;

/// A path as SQLite takes one, byte for byte: a folder's name need not be UTF-8 on Linux.
#[derive(Debug, Clone, Copy)]
pub struct FileName<'a>(pub &'a Path);

impl ToSql for FileName<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let bytes = self.0.as_os_str().as_encoded_bytes();
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
    }
}

/// What a file may have beyond the tables that are expected of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// No further columns: the same schema made both.
    Nothing,
    /// Further columns: a later schema only adds.
    Columns,
}

/// How `found` differs from `expected`, in words; none if this build can read and write it.
///
/// Tables, their columns and what is unique in them are compared, the columns of views, and the
/// names of indexes. Tables, views and indexes that only `found` has are none of ours (a backup
/// tool's, an administrator's) and disturb no statement of ours.
///
/// # Errors
/// One of the two cannot be read.
pub fn differences(
    found: &Connection,
    expected: &Connection,
    beyond: Beyond,
) -> Result<Option<String>> {
    let mut told = Vec::new();
    let (there, wanted) = (tables(found)?, tables(expected)?);
    for (table, columns) in &wanted {
        match there.get(table) {
            None => told.push(format!("there is no table {table}")),
            Some(there) => compare(table, there, columns, beyond, &mut told),
        }
    }
    // A view of tables that differ cannot be read at all: their difference says enough.
    if told.is_empty() {
        views(found, expected, &mut told)?;
    }
    let indexes = names(found, "index")?;
    for index in names(expected, "index")? {
        if !indexes.contains(&index) {
            told.push(format!("there is no index {index}"));
        }
    }
    Ok(words(told))
}

fn words(mut told: Vec<String>) -> Option<String> {
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    (!told.is_empty()).then(|| told.join("; "))
}

/// Declarations of columns by name, and what is unique beside them.
type Columns = BTreeMap<String, String>;

fn compare(table: &str, there: &Columns, wanted: &Columns, beyond: Beyond, told: &mut Vec<String>) {
    for (column, declared) in wanted {
        match there.get(column) {
            None => told.push(format!("table {table} has no {column}")),
            Some(found) if found != declared => told.push(format!(
                "{column} of table {table} is declared {found:?}, not {declared:?}"
            )),
            Some(_) => {}
        }
    }
    if beyond == Beyond::Nothing {
        let unknown = there.keys().filter(|column| !wanted.contains_key(*column));
        told.extend(unknown.map(|column| format!("table {table} has {column} besides")));
    }
}

fn tables(connection: &Connection) -> Result<BTreeMap<String, Columns>> {
    let mut tables = BTreeMap::<String, Columns>::new();
    let mut declared = connection.prepare(
        "SELECT s.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
         FROM sqlite_schema s JOIN pragma_table_info(s.name) c
         WHERE s.type = 'table' AND s.name NOT GLOB 'sqlite_*'",
    )?;
    let mut rows = declared.query([])?;
    while let Some(row) = rows.next()? {
        let mut words: Vec<String> = vec![row.get(2)?];
        if row.get(3)? {
            words.push("NOT NULL".to_owned());
        }
        if let Some(value) = row.get::<_, Option<String>>(4)? {
            words.push(format!("DEFAULT {value}"));
        }
        match row.get::<_, u32>(5)? {
            0 => {}
            place => words.push(format!("PRIMARY KEY {place}")),
        }
        let column = format!("column `{}`", row.get::<_, String>(1)?);
        let columns = tables.entry(row.get(0)?).or_default();
        columns.insert(column, words.join(" "));
    }
    let mut unique = connection.prepare(
        "SELECT s.name, group_concat(i.name, ', ')
         FROM sqlite_schema s JOIN pragma_index_list(s.name) l JOIN pragma_index_info(l.name) i
         WHERE s.type = 'table' AND s.name NOT GLOB 'sqlite_*' AND l.origin = 'u'
         GROUP BY s.name, l.name",
    )?;
    let mut rows = unique.query([])?;
    while let Some(row) = rows.next()? {
        let columns = tables.entry(row.get(0)?).or_default();
        let unique = format!("UNIQUE ({})", row.get::<_, String>(1)?);
        columns.insert(unique, "UNIQUE".to_owned());
    }
    Ok(tables)
}

fn views(found: &Connection, expected: &Connection, told: &mut Vec<String>) -> Result<()> {
    for view in names(expected, "view")? {
        let wanted = columns_of(expected, &view)?;
        match columns_of(found, &view) {
            Ok(there) if there == wanted => {}
            Ok(there) => told.push(format!(
                "view {view} has the columns {}, not {}",
                there.join(", "),
                wanted.join(", ")
            )),
            Err(why) => told.push(format!("view {view} cannot be read ({why})")),
        }
    }
    Ok(())
}

fn columns_of(connection: &Connection, view: &str) -> Result<Vec<String>> {
    let statement = connection.prepare(&format!("SELECT * FROM \"{view}\" LIMIT 0"))?;
    let names = statement.column_names();
    Ok(names.map(str::to_owned).collect())
}

/// Names of what was created by a statement of its own.
fn names(connection: &Connection, kind: &str) -> Result<Vec<String>> {
    let mut named = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL ORDER BY 1")?;
    named.query_map([kind], |row| row.get(0))?.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    const MADE: &str = "
        CREATE TABLE seats (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, until INTEGER,
            UNIQUE (holder, until));
        CREATE INDEX seats_until ON seats (until);
        CREATE VIEW held AS SELECT id, holder FROM seats;";

    fn database(sql: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        connection
    }

    fn found(sql: &str, beyond: Beyond) -> Option<String> {
        differences(&database(sql), &database(MADE), beyond).unwrap()
    }

    #[track_caller]
    fn check(sql: &str, told: &str) {
        let words = found(sql, Beyond::Nothing).unwrap_or_default();
        assert_eq!(words, told);
    }

    #[test]
    fn what_this_build_makes_differs_in_nothing_however_it_came_about() {
        check(MADE, "");
        let grown = "
            CREATE TABLE seats (id INTEGER PRIMARY KEY, holder TEXT NOT NULL,
                until INTEGER, UNIQUE (holder, until));
            CREATE INDEX seats_until ON seats (until);
            CREATE VIEW held AS  SELECT id, holder  FROM seats;
            CREATE TABLE _tools_of_others (a);
            CREATE INDEX of_an_administrator ON seats (holder);
            ANALYZE;";
        check(grown, "");
    }

    #[test]
    fn each_difference_is_named() {
        let changed = |sql: &str| format!("{MADE} {sql}");
        check(
            &changed("ALTER TABLE seats ADD COLUMN weight INTEGER"),
            "table seats has column `weight` besides",
        );
        check(
            &changed("DROP INDEX seats_until"),
            "there is no index seats_until",
        );
        check(
            &changed("DROP VIEW held; CREATE VIEW held AS SELECT id FROM seats"),
            "view held has the columns id, not id, holder",
        );
        check(
            &changed("ALTER TABLE seats RENAME COLUMN until TO ends"),
            "table seats has no UNIQUE (holder, until); table seats has no column `until`; \
             table seats has UNIQUE (holder, ends) besides; table seats has column `ends` besides",
        );
        check(
            "CREATE TABLE seats (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, until TEXT,
                UNIQUE (holder, until)); CREATE INDEX seats_until ON seats (until);",
            "column `until` of table seats is declared \"TEXT\", not \"INTEGER\"",
        );
        check(
            "CREATE TABLE others (a)",
            "there is no table seats; there is no index seats_until",
        );
    }

    #[test]
    fn a_later_schema_has_columns_that_this_build_does_not_know_and_lacks_none() {
        let later = format!("{MADE} ALTER TABLE seats ADD COLUMN weight INTEGER;");
        assert_eq!(found(&later, Beyond::Columns), None);
        let other = format!("{later} ALTER TABLE seats RENAME COLUMN holder TO who;");
        let told = found(&other, Beyond::Columns).unwrap();
        assert!(told.contains("has no column `holder`"), "{told}");
    }

    #[test]
    fn of_many_differences_the_first_are_told_and_the_rest_counted() {
        let told = (0..8).map(|n| n.to_string()).collect();
        assert_eq!(words(told).unwrap(), "0; 1; 2; 3; 4; 3 more");
    }
}
