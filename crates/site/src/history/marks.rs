//! Marks collected items that are no longer on their server after a restore.

use rusqlite::{Connection, Result, params};

use crate::collected::{Place, Point};
use crate::columns::signed;

/// The tables of items.
const TABLES: [&str; 4] = [
    "history_sessions",
    "history_leases",
    "history_denials",
    "history_waits",
];

/// A server goes on from a point, and knows nothing of the lives that were left: what was collected
/// of these and behind the point is marked. What the life of the point had up to it is on the server,
/// also if it was marked before. From the beginning all is marked, and comes back by being collected
/// again. How many are marked that were not.
pub(super) fn put_back(
    connection: &Connection,
    source: i64,
    from: Option<Point>,
    left: &[Place],
    at_ms: i64,
) -> Result<u64> {
    let mut marked = 0;
    for table in TABLES {
        let Some(from) = from else {
            marked += mark(connection, table, source, "?2 IS ?3", (0, 0), at_ms)?;
            continue;
        };
        let life = i64::from(from.incarnation);
        let behind = (life, signed(from.event));
        marked += mark(
            connection,
            table,
            source,
            "incarnation = ?2 AND event > ?3",
            behind,
            at_ms,
        )?;
        for place in left {
            let life = (i64::from(place.point.incarnation), 0);
            marked += mark(
                connection,
                table,
                source,
                "incarnation = ?2 AND ?3 = 0",
                life,
                at_ms,
            )?;
        }
        connection
            .prepare_cached(&format!(
                "UPDATE {table} SET gone_ms = NULL WHERE source = ?1 AND incarnation = ?2 \
                 AND event <= ?3 AND gone_ms IS NOT NULL"
            ))?
            .execute(params![source, behind.0, behind.1])?;
    }
    Ok(marked)
}

fn mark(
    connection: &Connection,
    table: &str,
    source: i64,
    which: &str,
    (life, event): (i64, i64),
    at_ms: i64,
) -> Result<u64> {
    let marked = connection
        .prepare_cached(&format!(
            "UPDATE {table} SET gone_ms = ?4 \
             WHERE source = ?1 AND gone_ms IS NULL AND {which}"
        ))?
        .execute(params![source, life, event, at_ms])?;
    Ok(marked as u64)
}
