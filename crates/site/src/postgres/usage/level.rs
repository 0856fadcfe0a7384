//! What is in use just before a quarter of an hour, added up from the roll-ups.

use usher_core::usage::Level;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::usage::{Of, QUARTERS_OF_DAY};

/// What is in use just before the quarter of that number, of what the roll-ups know.
pub(super) fn level_before(db: &Db, of: Of, quarter: i64) -> Result<Level> {
    let [product, counted, line] = of.columns();
    let day = quarter.div_euclid(QUARTERS_OF_DAY);
    let begin = day.saturating_mul(QUARTERS_OF_DAY);
    let sql = "SELECT coalesce(sum(seats_change), 0)::bigint, \
               coalesce(sum(uses_change), 0)::bigint FROM ( \
               SELECT seats_change, uses_change FROM usage_days \
               WHERE product = $1 AND counted = $2 AND line = $3 AND day < $4 UNION ALL \
               SELECT seats_change, uses_change FROM usage_quarters \
               WHERE product = $1 AND counted = $2 AND line = $3 \
               AND quarter >= $5 AND quarter < $6) AS changes";
    let values = params![product, counted, line, day, begin, quarter];
    db.one(sql, &values, |row| {
        Ok(Level {
            seats: row.get(0)?,
            uses: row.get(1)?,
        })
    })
}
