//! The rows whose time is over, but for sessions. They are found by product, in the order in which they
//! began.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::columns::signed;
use crate::retained::{Extent, Retained};

/// A table, the column of the beginning, and which rows that began before `$1` were over, too.
type Table = (&'static str, &'static str, &'static str);

const LEASES: Table = ("history_leases", "granted_ms", "ended_ms < $1");
const DENIALS: Table = ("history_denials", "first_ms", "true");
const WAITS: Table = ("history_waits", "queued_ms", "true");
const SESSIONS: Table = ("history_sessions", "started_ms", "ended_ms < $1");

/// Removes at most so many; how many.
pub(super) fn remove(db: &Db, what: Retained, before_ms: i64, limit: u32) -> Result<u64> {
    let (table, begin, is_over) = match what {
        Retained::Sessions => LEASES,
        Retained::Denials => DENIALS,
        Retained::Waits => WAITS,
    };
    let sql = format!(
        "DELETE FROM {table} WHERE ctid = ANY(ARRAY( \
         SELECT t.ctid FROM history_products p CROSS JOIN LATERAL ( \
         SELECT ctid FROM {table} WHERE product = p.number AND {begin} < $1 AND {is_over} LIMIT $2 \
         ) t LIMIT $2))"
    );
    db.run(&sql, &params![before_ms, signed(u64::from(limit))])
}

/// When the rows of a kind began; none: there are none.
pub(in crate::postgres) fn extent(db: &Db, what: Retained) -> Result<Option<Extent>> {
    let tables = match what {
        Retained::Sessions => &[SESSIONS, LEASES][..],
        Retained::Denials => &[DENIALS],
        Retained::Waits => &[WAITS],
    };
    let mut extent: Option<Extent> = None;
    for (table, begin, _) in tables {
        // The ends of an index for each product, rather than a look at all rows.
        let of_product =
            |end: &str| format!("(SELECT {end}({begin}) FROM {table} WHERE product = p.number)");
        let sql = format!(
            "SELECT min({}), max({}) FROM history_products p",
            of_product("min"),
            of_product("max")
        );
        let found: (Option<i64>, Option<i64>) =
            db.one(&sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let (Some(first_ms), Some(last_ms)) = found {
            extent = Some(Extent {
                first_ms: extent.map_or(first_ms, |it| it.first_ms.min(first_ms)),
                last_ms: extent.map_or(last_ms, |it| it.last_ms.max(last_ms)),
            });
        }
    }
    Ok(extent)
}
