//! What is in use just before a quarter of an hour, added up from the roll-ups.

use rusqlite::{Connection, Result, params};
use usher_core::usage::{Counted, Level};

use super::line::{LINES, Line, counted_number, line_of};
use super::mark::{Mark, edges_of};
use super::quarter::{QUARTERS_OF_DAY, read};

/// A level of each quantity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Levels([Level; LINES.len()]);

impl Levels {
    /// That of a quantity.
    pub(crate) fn of(&self, line: Line) -> Level {
        self.0[line.place()]
    }

    /// Adds to that of a quantity.
    pub(crate) fn add(&mut self, line: Line, level: Level) {
        let place = line.place();
        self.0[place] = sum(self.0[place], level);
    }

    /// Adds what changes in a quarter of an hour.
    pub(crate) fn pass(&mut self, marks: &[Mark]) {
        for line in LINES {
            for edge in edges_of(marks, line) {
                let (seats, uses) = (edge.seats_change(), edge.uses_change());
                self.add(line, Level { seats, uses });
            }
        }
    }
}

/// What is in use of a product just before the quarter of that number, of what the roll-ups know.
pub(super) fn levels_before(
    connection: &Connection,
    (product, counted): (i64, Counted),
    quarter: i64,
) -> Result<Levels> {
    let counted = counted_number(counted);
    let day = quarter.div_euclid(QUARTERS_OF_DAY);
    let mut levels = Levels::default();
    let mut days = connection.prepare_cached(
        "SELECT line, sum(seats_change), sum(uses_change) FROM usage_days \
         WHERE product = ?1 AND counted = ?2 AND day < ?3 GROUP BY line",
    )?;
    let mut rows = days.query([product, counted, day])?;
    while let Some(row) = rows.next()? {
        let (seats, uses) = (row.get(1)?, row.get(2)?);
        if let Some(line) = line_of(row.get(0)?) {
            levels.add(line, Level { seats, uses });
        }
    }
    let begin = day.saturating_mul(QUARTERS_OF_DAY);
    let mut quarters = connection.prepare_cached(
        "SELECT quarter, edges FROM usage_quarters \
         WHERE product = ?1 AND counted = ?2 AND quarter >= ?3 AND quarter < ?4",
    )?;
    let mut rows = quarters.query(params![product, counted, begin, quarter])?;
    while let Some(row) = rows.next()? {
        levels.pass(&read(row)?.1);
    }
    Ok(levels)
}

/// Both together.
pub(crate) fn sum(one: Level, other: Level) -> Level {
    Level {
        seats: one.seats.saturating_add(other.seats),
        uses: one.uses.saturating_add(other.uses),
    }
}
