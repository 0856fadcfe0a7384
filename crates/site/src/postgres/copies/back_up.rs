//! Copies a site: all tables as of one instant, while managers go on.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::super::address::PostgresAddress;
use super::super::connect::LOCK;
use super::super::db::Db;
use super::super::failure::Error;
use super::super::values::params;
use super::super::{schema, settings};
use super::contents::{self, Made};
use super::{Failed, must_be_ours, open};
use crate::copied::{CopyError, CopyFacts, CopyStep, CopyTold};
use crate::framed::{Header, TableHeader, Writer};
use crate::settings::SITE_ID;

/// How often the progress is reported.
const TOLD_EACH_BYTES: u64 = 1024 * 1024;

/// Copies the site to an open file at this path. If it fails, the file is removed.
pub(crate) fn back_up(
    address: &PostgresAddress,
    (file, to): (&File, &Path),
    told: CopyTold<'_>,
) -> Result<(CopyFacts, u64), CopyError> {
    let copied = open(address)
        .map_err(Failed::from)
        .and_then(|db| copy(&db, address, file, told));
    copied.map_err(|failed| {
        // What went wrong is what is told.
        let _ = fs::remove_file(to);
        failed.told("copy what is", "write", to)
    })
}

fn copy(
    db: &Db,
    address: &PostgresAddress,
    file: &File,
    told: CopyTold<'_>,
) -> Result<(CopyFacts, u64), Failed> {
    hold(db, address)?;
    db.batch(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL datestyle = 'ISO'; \
         SET LOCAL timezone = 'UTC'; SET LOCAL bytea_output = 'hex'",
    )?;
    let header = header(db, address)?;
    lock(db, &header.tables)?;
    let about = contents::size(db, &header.tables)?;
    let mut facts = facts_of(&header);
    let mut out = Writer::new(BufWriter::new(file), &header).map_err(Failed::Disk)?;
    let mut next = 0;
    for table in &header.tables {
        let columns = quoted(&table.columns);
        let sql = format!("COPY {} ({columns}) TO STDOUT", table.name);
        db.copy_out(&sql, |bytes| {
            out.add(bytes).map_err(Failed::Disk)?;
            if out.bytes() >= next {
                next = out.bytes() + TOLD_EACH_BYTES;
                told(CopyStep {
                    done: "written",
                    bytes: out.bytes(),
                    all_bytes: Some(about.max(out.bytes())),
                });
            }
            Ok::<(), Failed>(())
        })?;
        let rows = out.end_table().map_err(Failed::Disk)?.rows;
        count(&mut facts, &table.name, rows);
    }
    db.batch("COMMIT")?;
    let (mut out, bytes) = out.finish().map_err(Failed::Disk)?;
    out.flush().map_err(Failed::Disk)?;
    out.get_ref().sync_all().map_err(Failed::Disk)?;
    Ok((facts, bytes))
}

/// Has no restore begin until this session ends, as a manager does. A restore would put tables in the place
/// of those that are copied, whose rows this transaction does not see.
fn hold(db: &Db, address: &PostgresAddress) -> Result<(), Failed> {
    let sql = "SELECT pg_try_advisory_lock_shared($1::bigint)";
    match db.one(sql, &params![LOCK], |row| row.get(0))? {
        true => Ok(()),
        false => Err(Error::Locked(address.to_string()).into()),
    }
}

/// Has each table stay until the end of the transaction: a partition whose days are over might be dropped.
fn lock(db: &Db, tables: &[TableHeader]) -> Result<(), Failed> {
    let names: Vec<&str> = tables.iter().map(|table| &*table.name).collect();
    match names.is_empty() {
        true => Ok(()),
        false => Ok(db.batch(&format!(
            "LOCK TABLE {} IN ACCESS SHARE MODE",
            names.join(", ")
        ))?),
    }
}

/// What is to be said before the rows.
fn header(db: &Db, address: &PostgresAddress) -> Result<Header, Failed> {
    let made = schema::made(db)?;
    let place = address.to_string();
    if made.is_empty() {
        return Err(CopyError::Absent(place.into()).into());
    }
    must_be_ours(&schema::found(&made), &place)?;
    let steps: Vec<String> = made.into_iter().map(|(_, text)| text).collect();
    let made = Made::by(&steps);
    let leads = made.tables.iter().any(|it| it == "site_leader");
    let epoch = match leads {
        true => db.one("SELECT epoch FROM site_leader", &[], |row| row.get(0))?,
        false => 0,
    };
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    Ok(Header {
        usher: env!("CARGO_PKG_VERSION").to_owned(),
        site_id: settings::get(db, SITE_ID)?,
        taken_ms: db.one(now, &[], |row| row.get(0))?,
        epoch,
        tables: contents::tables(db, &made)?,
        sequences: contents::sequences(db, &made)?,
        schema: steps,
    })
}

/// What a copy's header says of it.
pub(super) fn facts_of(header: &Header) -> CopyFacts {
    CopyFacts {
        site_id: header.site_id.clone(),
        schema: i64::try_from(header.schema.len()).unwrap_or(i64::MAX),
        known_schema: i64::try_from(schema::known()).unwrap_or(i64::MAX),
        as_of_ms: Some(header.taken_ms),
        ..CopyFacts::default()
    }
}

/// Adds to what is known of a copy that it has a table with so many rows.
pub(super) fn count(facts: &mut CopyFacts, table: &str, rows: u64) {
    match table {
        "servers" => facts.servers += rows,
        it if it.starts_with("history_sessions_") => facts.sessions += rows,
        _ => {}
    }
}

/// Names of columns in a statement.
pub(super) fn quoted(columns: &[String]) -> String {
    let quoted: Vec<String> = columns
        .iter()
        .map(|it| format!("\"{}\"", it.replace('"', "\"\"")))
        .collect();
    quoted.join(", ")
}
