//! What is in the file of a site, and whether it is one.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use usher_tables::{Beyond, differences};

use crate::copied::{CopyError, CopyFacts, damaged, not_a_copy};
use crate::error::SiteError;
use crate::schema::STEPS;
use crate::settings::{self, ALIVE, SITE_ID};

/// What is in a file, which is called `file`; an error if that is no site's.
pub(super) fn known(connection: &Connection, file: &Path) -> Result<CopyFacts, CopyError> {
    must_be_a_site(connection, file)?;
    read(connection).map_err(|error| of_file(&error, file))
}

/// Refuses what is no site's file.
pub(super) fn must_be_a_site(connection: &Connection, file: &Path) -> Result<(), CopyError> {
    let count = |sql: &str| {
        let found: rusqlite::Result<i64> = connection.query_row(sql, [], |row| row.get(0));
        found.map_err(|error| of_file(&error, file))
    };
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' \
                  AND name IN ('settings', 'servers', 'messages', 'episodes')";
    if count(tables)? == 4 {
        return Ok(());
    }
    let is_servers = "SELECT count(*) FROM sqlite_schema WHERE name = 'leases'";
    let why = match count(is_servers)? {
        0 => "it is another program's SQLite file",
        _ => "it is a metering server's: `usher restore` without --site takes it",
    };
    Err(not_a_copy(file, why))
}

fn read(connection: &Connection) -> rusqlite::Result<CopyFacts> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    // The tables of the history came with the fourth step.
    let has_sessions = "SELECT count(*) FROM sqlite_schema WHERE name = 'history_sessions'";
    let sessions = match count(has_sessions)? {
        0 => 0,
        _ => count("SELECT count(*) FROM history_sessions")?,
    };
    let as_of = settings::get(connection, ALIVE)?;
    Ok(CopyFacts {
        site_id: settings::get(connection, SITE_ID)?,
        schema: count("PRAGMA user_version")?,
        known_schema: i64::try_from(STEPS.len()).unwrap_or(i64::MAX),
        as_of_ms: as_of.and_then(|at| at.parse().ok()),
        servers: count("SELECT count(*) FROM servers")?.unsigned_abs(),
        sessions: sessions.unsigned_abs(),
    })
}

/// Looks at each page and each index.
pub(super) fn must_be_sound(connection: &Connection, file: &Path) -> Result<(), CopyError> {
    let sql = "PRAGMA integrity_check(1)";
    let verdict: String = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(|error| of_file(&error, file))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        why => Err(damaged(file, format!("the integrity check says: {why}"))),
    }
}

/// Refuses a file of a newer version, and one that a build has written that is no release.
pub(super) fn must_be_ours(
    connection: &Connection,
    facts: &CopyFacts,
    file: &Path,
) -> Result<(), CopyError> {
    let (found, known) = (facts.schema, facts.known_schema);
    let file_name = file.display().to_string();
    if found > known {
        let file = file_name;
        return Err(SiteError::Newer { file, found, known }.into());
    }
    let made = usize::try_from(found).unwrap_or(0);
    let compare = || {
        let ours = Connection::open_in_memory()?;
        let steps = STEPS.iter().take(made);
        for step in steps {
            ours.execute_batch(step)?;
        }
        differences(connection, &ours, Beyond::Nothing)
    };
    match compare().map_err(|error| of_file(&error, file))? {
        None => Ok(()),
        Some(differs) => Err(SiteError::OtherBuild {
            file: file_name,
            differs,
        }
        .into()),
    }
}

/// An error while a file was read: most are about what is in it.
pub(super) fn of_file(error: &rusqlite::Error, file: &Path) -> CopyError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_a_copy(file, "it is no SQLite file"),
        Some(ErrorCode::DatabaseCorrupt) => damaged(file, error.to_string()),
        _ => SiteError::failed("read the file", error).into(),
    }
}
