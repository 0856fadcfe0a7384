//! Marks collected items that are no longer on their server after a restore.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::collected::{Place, Point};
use crate::columns::signed;

/// The tables that say where items were collected.
const TABLES: [&str; 4] = [
    "history_session_keys",
    "history_leases",
    "history_denials",
    "history_waits",
];

/// A server goes on from a point, and knows nothing of the lives that were left: what was collected
/// of these and behind the point is marked. What the life of the point had up to it is on the server,
/// also if it was marked before. From the beginning all is marked, and comes back by being collected
/// again. How many are marked that were not.
pub(super) fn put_back(
    db: &Db,
    source: i64,
    from: Option<Point>,
    left: &[Place],
    at_ms: i64,
) -> Result<u64> {
    let mut marked = 0;
    for table in TABLES {
        let mark = format!("UPDATE {table} SET gone_ms = $2 WHERE source = $1 AND gone_ms IS NULL");
        let Some(from) = from else {
            marked += db.run(&mark, &params![source, at_ms])?;
            continue;
        };
        let (life, event) = (from.incarnation, signed(from.event));
        marked += db.run(
            &format!("{mark} AND incarnation = $3 AND event > $4"),
            &params![source, at_ms, life, event],
        )?;
        for place in left {
            marked += db.run(
                &format!("{mark} AND incarnation = $3"),
                &params![source, at_ms, place.point.incarnation],
            )?;
        }
        db.run(
            &format!(
                "UPDATE {table} SET gone_ms = NULL WHERE source = $1 AND incarnation = $2 \
                 AND event <= $3 AND gone_ms IS NOT NULL"
            ),
            &params![source, life, event],
        )?;
    }
    Ok(marked)
}
