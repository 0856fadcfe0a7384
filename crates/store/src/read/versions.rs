//! Which versions have served a data file: until one has passed its first scheduled pack, the
//! version before it can take over again, and its binary stays.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::base::error::StoreError;
use crate::base::schema::SCHEMA_VERSION;
use crate::queue::requests::Failure;
use crate::queue::shared::Shared;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many versions are kept: enough for years.
const KEPT: u32 = 100;

/// A version that has served the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedBy {
    /// The version number, such as `0.2.0`.
    pub version: String,
    /// The schema that it wrote.
    pub schema: u32,
    /// When it began to serve; Unix milliseconds, wall clock; 0 if that is not known.
    pub since: i64,
    /// When its first scheduled pack was done; none: not yet. Unix milliseconds, wall clock.
    pub packed_at: Option<i64>,
}

/// The versions that have served a data file.
pub struct Versions {
    shared: Arc<Shared>,
}

impl Versions {
    pub(crate) fn new(shared: Arc<Shared>) -> Versions {
        Versions { shared }
    }

    /// All that are known, oldest first; the last serves now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<ServedBy>, Failure> {
        self.shared.with_reader(list)
    }

    /// A scheduled pack of the version that serves is done, at that Unix millisecond; the first is
    /// kept.
    ///
    /// # Errors
    /// The disk refused.
    pub fn packed(&self, at: i64) -> Result<(), Failure> {
        self.shared.with_connection(move |connection| {
            connection
                .execute(
                    "UPDATE versions SET packed_at = ?1 WHERE packed_at IS NULL AND number = \
                     (SELECT max(number) FROM versions)",
                    [at],
                )
                .map(drop)
        })
    }
}

/// Records that this version serves the file from now on.
pub(crate) fn serves(connection: &Connection, path: &Path, now: i64) -> Result<(), StoreError> {
    let keep = || {
        let known = list(connection)?;
        if known.last().is_some_and(|last| last.version == VERSION) {
            return Ok(());
        }
        connection.execute(
            "INSERT INTO versions (version, schema, since) VALUES (?1, ?2, ?3)",
            params![VERSION, SCHEMA_VERSION, now],
        )?;
        connection
            .execute(
                "DELETE FROM versions WHERE number <= (SELECT max(number) FROM versions) - ?1",
                [KEPT],
            )
            .map(drop)
    };
    keep().map_err(|source| StoreError::Database {
        doing: "keep the version that serves",
        path: path.into(),
        source,
    })
}

/// All rows, oldest first.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<ServedBy>> {
    let mut statement = connection
        .prepare_cached("SELECT version, schema, since, packed_at FROM versions ORDER BY number")?;
    let rows = statement.query_map([], |row| {
        Ok(ServedBy {
            version: row.get(0)?,
            schema: row.get(1)?,
            since: row.get(2)?,
            packed_at: row.get(3)?,
        })
    })?;
    rows.collect()
}
