//! The rows whose time is over. They are found by product, in the order in which they began.

use rusqlite::{Connection, Result, params};

use crate::columns::signed;
use crate::retained::{Extent, Retained};

/// Removes rows of a table that were over before `?1`, at most `?2`.
type Removal = &'static str;

/// A lease that is there tells of the session that held it that it is no session itself: such a session
/// stays until the lease goes.
const SESSIONS: Removal = "DELETE FROM history_sessions \
    WHERE (product, started_ms, computer, agent_incarnation, session) IN \
    (SELECT s.product, s.started_ms, s.computer, s.agent_incarnation, s.session \
    FROM history_products p \
    CROSS JOIN history_sessions s ON s.product = p.number AND s.started_ms < ?1 \
    WHERE s.ended_ms < ?1 AND (s.lease_made_in IS NULL OR NOT EXISTS \
    (SELECT 1 FROM history_leases l WHERE l.source IN (SELECT number FROM history_sources) \
    AND l.made_in = s.lease_made_in AND l.made_by = s.lease_made_by AND l.ended_ms >= ?1)) \
    LIMIT ?2)";
const LEASES: Removal = "DELETE FROM history_leases WHERE (source, made_in, made_by) IN \
    (SELECT l.source, l.made_in, l.made_by FROM history_products p \
    CROSS JOIN history_leases l ON l.product = p.number AND l.granted_ms < ?1 \
    WHERE l.ended_ms < ?1 AND l.kept = 0 AND l.cause <> 'unclaimed' LIMIT ?2)";
const UNUSED_LEASES: Removal = "DELETE FROM history_leases WHERE (source, made_in, made_by) IN \
    (SELECT source, made_in, made_by FROM history_leases \
    WHERE (kept <> 0 OR cause = 'unclaimed') AND ended_ms < ?1 AND granted_ms < ?1 LIMIT ?2)";
const DENIALS: Removal = "DELETE FROM history_denials WHERE (source, made_in, made_by) IN \
    (SELECT d.source, d.made_in, d.made_by FROM history_products p \
    CROSS JOIN history_denials d ON d.product = p.number AND d.first_ms < ?1 LIMIT ?2)";
const WAITS: Removal = "DELETE FROM history_waits WHERE (source, made_in, made_by) IN \
    (SELECT w.source, w.made_in, w.made_by FROM history_products p \
    CROSS JOIN history_waits w ON w.product = p.number AND w.queued_ms < ?1 LIMIT ?2)";

/// Removes at most so many; how many.
pub(super) fn remove(
    connection: &Connection,
    what: Retained,
    before_ms: i64,
    limit: u32,
) -> Result<u64> {
    let tables = match what {
        // Leases before the sessions that held them.
        Retained::Sessions => &[LEASES, UNUSED_LEASES, SESSIONS][..],
        Retained::Denials => &[DENIALS],
        Retained::Waits => &[WAITS],
    };
    let mut removed = 0;
    for table in tables {
        let left = u64::from(limit).saturating_sub(removed);
        if left == 0 {
            break;
        }
        let mut remove = connection.prepare_cached(table)?;
        removed += remove.execute(params![before_ms, signed(left)])? as u64;
    }
    Ok(removed)
}

/// When the rows of a kind began; none: there are none.
pub(crate) fn extent(connection: &Connection, what: Retained) -> Result<Option<Extent>> {
    let tables = match what {
        Retained::Sessions => &[
            ("history_sessions", "started_ms", "true"),
            (
                "history_leases",
                "granted_ms",
                "kept = 0 AND cause <> 'unclaimed'",
            ),
        ][..],
        Retained::Denials => &[("history_denials", "first_ms", "true")],
        Retained::Waits => &[("history_waits", "queued_ms", "true")],
    };
    let mut extent: Option<Extent> = None;
    for (table, begin, which) in tables {
        // The ends of an index for each product, rather than a look at all rows.
        let of_product = |end: &str| {
            format!("(SELECT {end}({begin}) FROM {table} WHERE product = p.number AND {which})")
        };
        let sql = format!(
            "SELECT min({}), max({}) FROM history_products p",
            of_product("min"),
            of_product("max")
        );
        let found: (Option<i64>, Option<i64>) = connection
            .prepare_cached(&sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let (Some(first_ms), Some(last_ms)) = found {
            extent = Some(Extent {
                first_ms: extent.map_or(first_ms, |it| it.first_ms.min(first_ms)),
                last_ms: extent.map_or(last_ms, |it| it.last_ms.max(last_ms)),
            });
        }
    }
    Ok(extent)
}
