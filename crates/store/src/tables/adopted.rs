//! Leases that were taken over after a restore, in the table `meta`: a few, for one life.

use rusqlite::Connection;
use usher_core::ledger::LeaseId;

use crate::base::meta::put;

/// The prefix of their keys, followed by the former id of the lease; the values are the new
/// numbers.
const KEY: &str = "adopted ";
/// The first key after them.
const BEHIND: &str = "adopted!";

pub(crate) fn put_adopted(
    connection: &Connection,
    former: LeaseId,
    now: u64,
) -> rusqlite::Result<()> {
    put(connection, &format!("{KEY}{former}"), now)
}

/// Removes them, because another life takes over other leases.
pub(crate) fn forget_adopted(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "DELETE FROM meta WHERE key >= ?1 AND key < ?2",
            [KEY, BEHIND],
        )
        .map(drop)
}

/// Reads them; unreadable ones are left out.
pub(crate) fn read_adopted(connection: &Connection) -> rusqlite::Result<Vec<LeaseId>> {
    let mut statement = connection.prepare("SELECT key FROM meta WHERE key >= ?1 AND key < ?2")?;
    let keys = statement.query_map([KEY, BEHIND], |row| row.get::<_, String>(0))?;
    keys.filter_map(|key| {
        key.map(|key| key.strip_prefix(KEY).and_then(|id| id.parse().ok()))
            .transpose()
    })
    .collect()
}
