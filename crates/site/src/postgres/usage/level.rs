//! What is in use just before a quarter of an hour, added up from the roll-ups.

use usher_core::usage::{Counted, Level};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use super::quarter::read;
use crate::usage::{Levels, QUARTERS_OF_DAY, counted_number, line_of};

/// What is in use of a product just before the quarter of that number, of what the roll-ups know.
pub(super) fn levels_before(
    db: &Db,
    (product, counted): (i64, Counted),
    quarter: i64,
) -> Result<Levels> {
    let counted = counted_number(counted);
    let day = quarter.div_euclid(QUARTERS_OF_DAY);
    let mut levels = Levels::default();
    let sql = "SELECT line, sum(seats_change)::bigint, sum(uses_change)::bigint FROM usage_days \
               WHERE product = $1 AND counted = $2 AND day < $3 GROUP BY line";
    db.each(sql, &params![product, counted, day], |row| {
        let (seats, uses) = (row.get(1)?, row.get(2)?);
        if let Some(line) = line_of(row.get(0)?) {
            levels.add(line, Level { seats, uses });
        }
        Ok(())
    })?;
    let begin = day.saturating_mul(QUARTERS_OF_DAY);
    let sql = "SELECT quarter, edges FROM usage_quarters \
               WHERE product = $1 AND counted = $2 AND quarter >= $3 AND quarter < $4";
    db.each(sql, &params![product, counted, begin, quarter], |row| {
        levels.pass(&read(row)?.1);
        Ok(())
    })?;
    Ok(levels)
}
