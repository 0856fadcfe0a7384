//! What is in use just before a quarter of an hour, added up from the roll-ups.

use rusqlite::{Connection, Result, Row};
use usher_core::usage::Level;

use super::line::Of;
use super::quarter::QUARTERS_OF_DAY;

/// What is in use just before the quarter of that number, of what the roll-ups know.
pub(super) fn level_before(connection: &Connection, of: Of, quarter: i64) -> Result<Level> {
    let [product, counted, line] = of.columns();
    let day = quarter.div_euclid(QUARTERS_OF_DAY);
    let level = |row: &Row<'_>| {
        Ok(Level {
            seats: row.get(0)?,
            uses: row.get(1)?,
        })
    };
    let days = connection
        .prepare_cached(
            "SELECT coalesce(sum(seats_change), 0), coalesce(sum(uses_change), 0) FROM usage_days \
             WHERE product = ?1 AND counted = ?2 AND line = ?3 AND day < ?4",
        )?
        .query_row([product, counted, line, day], level)?;
    let begin = day.saturating_mul(QUARTERS_OF_DAY);
    let quarters = connection
        .prepare_cached(
            "SELECT coalesce(sum(seats_change), 0), coalesce(sum(uses_change), 0) \
             FROM usage_quarters WHERE product = ?1 AND counted = ?2 AND line = ?3 \
             AND quarter >= ?4 AND quarter < ?5",
        )?
        .query_row([product, counted, line, begin, quarter], level)?;
    Ok(sum(days, quarters))
}

/// Both together.
pub(crate) fn sum(one: Level, other: Level) -> Level {
    Level {
        seats: one.seats.saturating_add(other.seats),
        uses: one.uses.saturating_add(other.uses),
    }
}
