//! Reads a data file that no server has open, without changing it, to check whether another version
//! lost something.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use usher_core::ledger::LeaseId;

use crate::base::error::StoreError;
use crate::base::meta;
use crate::base::schema;
use crate::file::foreign_log;
use crate::read::versions::{self, ServedBy};
use crate::tables::load::load;

/// The version of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its schema; 0 if it has no tables.
    pub schema: u32,
    /// The lowest schema whose versions may write it.
    pub oldest_writer: u32,
    /// The version that served it last, if the file tells.
    pub served_by: Option<ServedBy>,
}

impl Found {
    /// Whether an earlier version than this one served it last. A file of schema 1 does not tell
    /// which.
    pub fn is_older(&self) -> bool {
        let behind = self.schema > 0 && self.schema < schema::SCHEMA_VERSION;
        let other = |served: &ServedBy| is_before(&served.version, versions::VERSION);
        behind || self.served_by.as_ref().is_some_and(other)
    }
}

/// Whether version `a` is before `b`, by their numbers.
fn is_before(a: &str, b: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let release = version.split(['-', '+']).next().unwrap_or_default();
        release.split('.').map(|n| n.parse().unwrap_or(0)).collect()
    };
    numbers(a) < numbers(b)
}

/// Of which version the data file in `data` is; none if there is no such file.
///
/// # Errors
/// The file cannot be read, or is no SQLite file.
pub fn found(data: &Path) -> Result<Option<Found>, StoreError> {
    let path = data.join("cache.db");
    match std::fs::metadata(&path) {
        Ok(file) if file.len() > 0 => {}
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::System {
                doing: "look at",
                path,
                why: error.to_string(),
            });
        }
        _ => return Ok(None),
    }
    let database = |source| StoreError::Database {
        doing: "look at",
        path: path.clone(),
        source,
    };
    let connection = open(&path)?;
    let schema = meta::version(&connection).map_err(database)?;
    let oldest_writer = meta::number(&connection, "oldest_writer").map_err(database)?;
    let served_by = match meta::has_table(&connection, "versions").map_err(database)? {
        true => versions::list(&connection).map_err(database)?.pop(),
        false => None,
    };
    Ok(Some(Found {
        schema,
        oldest_writer: u32::try_from(oldest_writer.unwrap_or(0)).unwrap_or(u32::MAX),
        served_by,
    }))
}

/// Reads what is there and writes nothing. If a write-ahead log lies beside it, SQLite makes its
/// index again; the log itself stays as it is, also when this is the last to close the file.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    foreign_log::refuse(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(connection)
    };
    open().map_err(|source| StoreError::Database {
        doing: "open",
        path: path.into(),
        source,
    })
}

/// The leases that are held according to a data file that no server has open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Seats by lease.
    leases: HashMap<LeaseId, u32>,
}

impl Inventory {
    /// Reads a file, its journal too. Its schema may be a later one: schema changes only add.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold together.
    pub fn of(path: &Path) -> Result<Inventory, StoreError> {
        let loaded = load(&open(path)?, path, &|_| {})?;
        let leases = loaded.ledger.leases();
        Ok(Inventory {
            leases: leases.map(|lease| (lease.id, lease.seats)).collect(),
        })
    }

    /// How many leases are held.
    pub fn leases(&self) -> usize {
        self.leases.len()
    }

    /// Which of these leases the file at `path` has lost: neither are they out there with as many
    /// seats, nor did they end because nobody renewed them. `path` was closed cleanly.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold together.
    pub fn lost_in(&self, path: &Path) -> Result<Vec<LeaseId>, StoreError> {
        let there = Inventory::of(path)?;
        let database = |source| StoreError::Database {
            doing: "read",
            path: path.into(),
            source,
        };
        let connection = open(path)?;
        let mut ended = connection
            .prepare(
                "SELECT count(*) FROM leases WHERE number = ?1 AND incarnation = ?2 AND \
                 cause = 'expired' AND seats = ?3",
            )
            .map_err(database)?;
        let mut lost = Vec::new();
        for (id, seats) in &self.leases {
            if there.leases.get(id) == Some(seats) {
                continue;
            }
            let key = (id.number.0.cast_signed(), id.incarnation.0, seats);
            let has_ended: bool = ended.query_row(key, |row| row.get(0)).map_err(database)?;
            if !has_ended {
                lost.push(*id);
            }
        }
        lost.sort_unstable_by_key(|id| id.number);
        Ok(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::is_before;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(is_before("0.9.0", "0.10.0"));
        assert!(is_before("0.1.0", "0.1.1-rc.1"));
        assert!(!is_before("0.2.0", "0.2.0"));
        assert!(!is_before("1.0.0", "0.99.9"));
    }
}
