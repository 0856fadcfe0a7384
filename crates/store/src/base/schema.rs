//! The tables of a data file, and how a file of an earlier version becomes one of this.
//!
//! Schema changes only ever add. `schema_version` is what the file has; `oldest_writer` is the
//! lowest version that may still write it, so that the version before can take over again.
//! Names of people and computers stand in `subjects` and `computers` only: every other row holds
//! a random surrogate.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use usher_tables::{Beyond, differences};

use crate::base::error::StoreError;
use crate::base::meta::{number, put, version};
use crate::base::place::Place;
use crate::base::steps::STEPS;
use crate::base::whole::copy_whole;

/// The schema that this version writes.
pub(crate) const SCHEMA_VERSION: u32 = 6;
/// The first schema in which a person is a realm and an account, and names are in composed form.
const PEOPLE_AND_NAMES: usize = 3;

/// Opens a connection as the writer needs it.
pub(crate) fn connect(path: &Path, place: Place) -> Result<Connection, StoreError> {
    let database = |doing| {
        move |source| StoreError::Database {
            doing,
            path: path.into(),
            source,
        }
    };
    let connection = place.open(path).map_err(database("open"))?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(database("open"))?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(database("open"))?;
    connection.set_prepared_statement_cache_capacity(64);
    let pages: i64 = connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .map_err(database("open"))?;
    if pages == 0 {
        // So that a pack can give room back: it can only be said of a file with nothing in it.
        connection
            .execute_batch("PRAGMA auto_vacuum = INCREMENTAL")
            .map_err(database("open"))?;
    }
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(database("open"))?;
    if mode != "wal" {
        return Err(StoreError::Damaged {
            path: path.into(),
            why: "the file system does not allow SQLite's write-ahead log".to_owned(),
        });
    }
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF; \
             PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 268435456;",
        )
        .map_err(database("open"))?;
    Ok(connection)
}

/// What happens to the unchanged copy of a file of an earlier version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// A copy is kept beside the new file.
    Beside,
    /// A copy exists elsewhere already.
    Elsewhere,
}

/// Brings a file to this version's schema; a new one from nothing. `people_and_names` does what
/// schema 3 changes beside the tables. A file with other tables than this version makes is refused,
/// and left as it is.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    saved: Saved,
    people_and_names: fn(&Connection, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let database = |source| StoreError::Database {
        doing: "migrate",
        path: path.into(),
        source,
    };
    let found = version(connection).map_err(database)?;
    let oldest = number(connection, "oldest_writer")
        .map_err(database)?
        .unwrap_or(0);
    if oldest > u64::from(SCHEMA_VERSION) {
        let known = SCHEMA_VERSION;
        return Err(StoreError::TooNew {
            path: path.into(),
            found,
            known,
        });
    }
    if found >= SCHEMA_VERSION {
        return must_be_ours(connection, path, found);
    }
    if found > 0 && saved == Saved::Beside {
        let name = path.with_extension(format!("db.schema-{found}"));
        copy_whole(connection, path, &name)?;
    }
    let transaction = connection.transaction().map_err(database)?;
    make_meta(&transaction).map_err(database)?;
    for (version, (step, oldest_writer)) in (1..).zip(STEPS).skip(found as usize) {
        transaction.execute_batch(step).map_err(|error| {
            // A statement that the tables do not fit: what the step expects is not there, or what it
            // makes is there already.
            match error.sqlite_error_code() {
                Some(ErrorCode::Unknown) if found > 0 => {
                    other_build(path, found, error.to_string())
                }
                _ => database(error),
            }
        })?;
        if version == PEOPLE_AND_NAMES {
            people_and_names(&transaction, path)?;
        }
        put(&transaction, "oldest_writer", u64::from(*oldest_writer)).map_err(database)?;
    }
    put(&transaction, "schema_version", u64::from(SCHEMA_VERSION)).map_err(database)?;
    must_be_ours(&transaction, path, found)?;
    transaction.commit().map_err(database)
}

fn make_meta(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    )
}

/// Refuses a file whose tables are not those that this version makes: the first write would find
/// out, and take it for a fault of the disk. `found` is the file's schema.
fn must_be_ours(connection: &Connection, path: &Path, found: u32) -> Result<(), StoreError> {
    let beyond = match found > SCHEMA_VERSION {
        true => Beyond::Columns,
        false => Beyond::Nothing,
    };
    let compare = || {
        let ours = Connection::open_in_memory()?;
        make_meta(&ours)?;
        STEPS
            .iter()
            .try_for_each(|(step, _)| ours.execute_batch(step))?;
        differences(connection, &ours, beyond)
    };
    let differs = compare().map_err(|source| StoreError::Database {
        doing: "look at the tables of",
        path: path.into(),
        source,
    })?;
    differs.map_or(Ok(()), |differs| Err(other_build(path, found, differs)))
}

fn other_build(path: &Path, schema: u32, differs: String) -> StoreError {
    StoreError::OtherBuild {
        path: path.into(),
        schema,
        differs,
    }
}

/// Columns that a file of an earlier schema lacks: since which schema they are there, and what
/// stands for them before it. A name that is part of another comes after it.
const LATER: &[(u32, &str, &str)] = &[
    (3, "impossible_seconds", "60"),
    (3, "from_day", "NULL"),
    (3, "from_zone", "NULL"),
    (3, "to_day", "NULL"),
    (3, "to_zone", "NULL"),
    (3, "session_incarnation", "0"),
    (3, "aside_since", "NULL"),
    (3, "deny_at", "NULL"),
    (3, "denied_for", "NULL"),
    (3, "decision_incarnation", "NULL"),
    (3, "decision", "NULL"),
    (3, "last_steady", "first"),
    (3, "bundle_count", "NULL"),
    (3, "bundle", "NULL"),
    (3, "framed", "0"),
];

/// A query as a file of that schema can answer it: it may be looked at before it is brought to
/// this version's.
pub(crate) fn as_of(sql: &str, schema: u32) -> String {
    LATER
        .iter()
        .filter(|(since, ..)| schema < *since)
        .fold(sql.to_owned(), |sql, (_, column, before)| {
            sql.replace(column, before)
        })
}
