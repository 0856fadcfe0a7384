//! How waits for seats of a product ended.

use rusqlite::{Connection, Result, params};
use usher_core::usage::Counted;

use super::about::product_number;
use crate::columns::unsigned;
use crate::reported::{SumsAsked, WaitSum};

const HERE: &str = "SELECT outcome, count(*), \
    sum(max(coalesce(waited_ms, decided_ms - queued_ms, 0), 0)) FROM history_waits \
    WHERE product = ?1 AND queued_ms >= ?2 AND queued_ms < ?3 GROUP BY outcome ORDER BY outcome";
const ELSEWHERE: &str = "SELECT CASE granted WHEN 1 THEN 'granted' WHEN 0 THEN 'not_granted' \
    ELSE 'not_known' END AS outcome, count(*), \
    sum(max(coalesce(ended_ms, seen_ms, ?3) - queued_ms, 0)) FROM elsewhere_waits \
    WHERE product = ?1 AND queued_ms >= ?2 AND queued_ms < ?3 GROUP BY outcome ORDER BY outcome";

/// Those that began in the time, by how they ended.
pub(crate) fn outcomes(connection: &Connection, asked: &SumsAsked) -> Result<Vec<WaitSum>> {
    let product = product_number(connection, &asked.product)?;
    let mut statement = connection.prepare_cached(match asked.counted {
        Counted::Here => HERE,
        Counted::Elsewhere => ELSEWHERE,
    })?;
    let rows = statement.query_map(params![product, asked.from_ms, asked.to_ms], |row| {
        Ok(WaitSum {
            outcome: row.get(0)?,
            waits: unsigned(row.get(1)?),
            waited_ms: unsigned(row.get(2)?),
        })
    })?;
    rows.collect()
}
