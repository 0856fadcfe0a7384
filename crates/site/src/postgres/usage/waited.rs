//! How waits for seats of a product ended.

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use super::about::product_number;
use crate::columns::unsigned;
use crate::reported::{SumsAsked, WaitSum};

const HERE: &str = "SELECT outcome, count(*), \
    sum(greatest(coalesce(waited_ms, decided_ms - queued_ms, 0), 0))::bigint FROM history_waits \
    WHERE product = $1 AND queued_ms >= $2 AND queued_ms < $3 GROUP BY outcome ORDER BY outcome";
const ELSEWHERE: &str = "SELECT (CASE WHEN granted THEN 'granted' WHEN NOT granted \
    THEN 'not_granted' ELSE 'not_known' END) COLLATE \"C\" AS outcome, count(*), \
    sum(greatest(coalesce(ended_ms, seen_ms, $3) - queued_ms, 0))::bigint FROM elsewhere_waits \
    WHERE product = $1 AND queued_ms >= $2 AND queued_ms < $3 GROUP BY 1 ORDER BY 1";

/// Those that began in the time, by how they ended.
pub(in crate::postgres) fn outcomes(db: &Db, asked: &SumsAsked) -> Result<Vec<WaitSum>> {
    let product = product_number(db, &asked.product)?;
    let sql = match asked.counted {
        Counted::Here => HERE,
        Counted::Elsewhere => ELSEWHERE,
    };
    let values = params![product, asked.from_ms, asked.to_ms];
    db.all(sql, &values, |row| {
        Ok(WaitSum {
            outcome: row.get(0)?,
            waits: unsigned(row.get(1)?),
            waited_ms: unsigned(row.get(2)?),
        })
    })
}
