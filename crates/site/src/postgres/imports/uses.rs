//! The uses that other licence servers counted, as reports read them.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::imported::{CountedElsewhere, USES_LIMIT, UsesAsked};

/// Uses of imports that are finished, in the order of their beginnings.
pub(in crate::postgres) fn list(db: &Db, asked: &UsesAsked) -> Result<Vec<CountedElsewhere>> {
    let sql = "SELECT u.number, s.source, u.person, u.computer, u.seats, u.started_ms, u.ended_ms, \
               u.seen_ms FROM elsewhere_uses u \
               JOIN history_products p ON p.number = u.product \
               JOIN import_sources s ON s.number = u.source \
               WHERE p.product = $1 AND u.started_ms < $3 \
               AND (u.started_ms >= $2 OR coalesce(u.ended_ms, u.seen_ms + 1, $3) > $2) \
               AND (u.started_ms, u.number) > ($4, $5) \
               ORDER BY u.started_ms, u.number LIMIT $6";
    let limit = asked.limit.clamp(1, USES_LIMIT);
    let (started_ms, number) = asked.after.unwrap_or((i64::MIN, i64::MIN));
    let values = params![
        asked.product,
        asked.from_ms,
        asked.to_ms,
        started_ms,
        number,
        limit
    ];
    db.all(sql, &values, |row| {
        Ok(CountedElsewhere {
            number: row.get(0)?,
            source: row.get(1)?,
            person: row.get(2)?,
            computer: row.get(3)?,
            seats: row.get(4)?,
            started_ms: row.get(5)?,
            ended_ms: row.get(6)?,
            seen_ms: row.get(7)?,
        })
    })
}
