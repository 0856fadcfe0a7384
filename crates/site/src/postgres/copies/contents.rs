//! Which tables a site has: those that the steps of its schema make, and their partitions.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::Param;
use crate::framed::{Sequence, TableHeader};

/// Tables of what goes on in the database itself, of which nothing is for another one: calls of processes,
/// who leads, and what the leader shows.
const LEFT_OUT: [&str; 3] = ["site_calls", "site_leader", "site_views"];

/// What steps of the schema make.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) tables: Vec<String>,
    pub(super) views: Vec<String>,
}

impl Made {
    /// Of the texts of steps: each statement begins a line.
    pub(super) fn by(steps: &[String]) -> Made {
        let mut made = Made::default();
        for line in steps.iter().flat_map(|step| step.lines()) {
            if let Some(table) = named(line, "CREATE TABLE ") {
                made.tables.push(table);
            } else if let Some(view) = named(line, "CREATE VIEW ") {
                made.views.push(view);
            } else if let Some(gone) = named(line, "DROP TABLE ") {
                made.tables.retain(|table| *table != gone);
            } else if let Some(gone) = named(line, "DROP VIEW ") {
                made.views.retain(|view| *view != gone);
            }
        }
        made
    }
}

fn named(line: &str, begins: &str) -> Option<String> {
    let rest = line.strip_prefix(begins)?;
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let name: String = rest.chars().take_while(|it| is_of_name(*it)).collect();
    (!name.is_empty()).then_some(name)
}

/// The tables with rows that a copy has, with their columns: of partitioned tables the partitions.
pub(super) fn tables(db: &Db, made: &Made) -> Result<Vec<TableHeader>> {
    let copied = made
        .tables
        .iter()
        .filter(|it| !LEFT_OUT.contains(&it.as_str()));
    let sql = "SELECT c.relname::text, a.attname::text \
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' \
               AND a.attnum > 0 AND NOT a.attisdropped \
               AND (c.relname::text = ANY($1) OR EXISTS (SELECT 1 FROM pg_inherits i \
               JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid \
               AND p.relnamespace = c.relnamespace AND p.relname::text = ANY($1))) \
               ORDER BY c.relname::text COLLATE \"C\", a.attnum";
    let mut tables: Vec<TableHeader> = Vec::new();
    db.each(sql, &[texts(copied)], |row| {
        let (name, column): (String, String) = (row.get(0)?, row.get(1)?);
        match tables.last_mut().filter(|last| last.name == name) {
            Some(last) => last.columns.push(column),
            None => tables.push(TableHeader {
                name,
                columns: vec![column],
            }),
        }
        Ok(())
    })?;
    Ok(tables)
}

/// The last number that each table has given out.
pub(super) fn sequences(db: &Db, made: &Made) -> Result<Vec<Sequence>> {
    let sql = "SELECT c.relname::text, a.attname::text, coalesce(q.last_value, 0) \
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
               JOIN pg_sequences q ON format('%I.%I', q.schemaname, q.sequencename) \
               = pg_get_serial_sequence(format('%I.%I', current_schema(), c.relname), a.attname) \
               WHERE c.relnamespace = current_schema()::regnamespace AND a.attidentity <> '' \
               AND NOT a.attisdropped AND c.relname::text = ANY($1) \
               ORDER BY c.relname::text COLLATE \"C\"";
    db.all(sql, &[texts(made.tables.iter())], |row| {
        Ok(Sequence {
            table: row.get(0)?,
            column: row.get(1)?,
            last: row.get(2)?,
        })
    })
}

/// How much the tables take, in bytes: about as much as their rows as text.
pub(super) fn size(db: &Db, tables: &[TableHeader]) -> Result<u64> {
    let sql = "SELECT coalesce(sum(pg_relation_size(to_regclass(name))), 0)::bigint \
               FROM unnest($1::text[]) AS t(name)";
    let names = texts(tables.iter().map(|it| &it.name));
    let bytes: i64 = db.one(sql, &[names], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// Statements that give again what others than the owner may do with tables and views.
pub(super) fn grants(db: &Db, made: &Made) -> Result<Vec<(String, String)>> {
    let sql = "SELECT c.relname::text, format('GRANT %s ON %I TO %s%s', a.privilege_type, c.relname, \
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, \
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
               FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a \
               WHERE c.relnamespace = current_schema()::regnamespace AND a.grantee <> c.relowner \
               AND c.relname::text = ANY($1)";
    let all = made.tables.iter().chain(&made.views);
    db.all(sql, &[texts(all)], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn texts<'a>(all: impl Iterator<Item = &'a String>) -> Param {
    Param::Texts(all.map(|it| Some(it.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steps_make_and_drop_again_is_read_from_their_text() {
        let steps = [
            "\n-- CREATE TABLE none\nCREATE TABLE one (\n a bigint\n);\nCREATE TABLE two (x int);",
            "DROP TABLE one;\nCREATE TABLE one_late PARTITION OF x DEFAULT;\nCREATE VIEW three AS\n",
        ];
        let made = Made::by(&steps.map(str::to_owned));
        assert_eq!(
            (made.tables, made.views),
            (
                vec!["two".to_owned(), "one_late".to_owned()],
                vec!["three".to_owned()],
            )
        );
    }
}
