//! Keeps the roll-ups: the quarters of an hour in which uses begin and end, and the sums of days.
//!
//! A quarter is what the rows say, in whatever order uses come to light: its edges are put in order when
//! they are read. So a use of a year touches two quarters, and who adds to one need not read it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, params};
use usher_core::usage::Counted;

use super::alone::{self, LeaseKey, key_of};
use super::changes::{Changes, Days, Place, by_quarters, carry_out, only_adds};
use super::days;
use super::line::{Adds, LeaseRow, counted_number, is_use, of_lease, of_session};
use super::mark::Mark;
use super::packed::{pack, unpack};
use super::quarter::{begin_of, unreadable};
use crate::collected::{EndedLease, EndedSession};

/// What changes in a transaction, and is not written yet.
pub(crate) struct RollUp<'c> {
    connection: &'c Connection,
    changes: Changes,
}

impl<'c> RollUp<'c> {
    /// A roll-up with no change in it.
    pub(crate) fn new(connection: &'c Connection) -> RollUp<'c> {
        RollUp {
            connection,
            changes: Changes::default(),
        }
    }

    /// Sessions that are new in the history, and there already, with the numbers of their products. The
    /// leases that came with them are not there yet.
    pub(crate) fn add_sessions(&mut self, sessions: &[(i64, &EndedSession)]) -> Result<()> {
        let mut held: BTreeMap<LeaseKey, i64> = BTreeMap::new();
        for (product, it) in sessions {
            self.change(*product, Counted::Here, of_session((*it).into()), 1)?;
            if let Some(lease) = it.lease {
                *held.entry(key_of(lease)).or_default() += 1;
            }
        }
        // A lease that no session held counted as one itself: until the first that held it.
        for (lease, many) in held {
            for (product, adds) in alone::no_longer(self.connection, lease, many)? {
                self.change(product, Counted::Here, adds, -1)?;
            }
        }
        Ok(())
    }

    /// Leases that are new in the history, with the numbers of their products. All sessions that came
    /// with them are there.
    pub(crate) fn add_leases(&mut self, leases: &[(i64, &EndedLease)]) -> Result<()> {
        for (product, it) in leases.iter().filter(|(_, it)| is_use(it)) {
            let is_session =
                it.session.is_none() && alone::is_alone(self.connection, key_of(it.key))?;
            let lease = LeaseRow {
                seats: it.seats,
                granted_ms: it.granted_ms,
                ended_ms: it.ended_ms,
                is_session,
            };
            self.change(*product, Counted::Here, of_lease(lease), 1)?;
        }
        Ok(())
    }

    /// Adds what a row says so many times; less than 0: takes it out.
    pub(super) fn change(
        &mut self,
        product: i64,
        counted: Counted,
        adds: Adds,
        times: i64,
    ) -> Result<()> {
        self.changes.add(product, counted, adds, times);
        match self.changes.is_full() {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// Writes what has changed.
    pub(crate) fn write(&mut self) -> Result<()> {
        for it in self.changes.take_spreads() {
            days::unpack(self.connection, it.product, (it.first, it.last))?;
        }
        let changes = self.changes.take();
        let mut days = Days::default();
        let mut append = self.connection.prepare_cached(
            "INSERT INTO usage_quarters (product, counted, quarter, edges) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET edges = CAST(edges || ?4 AS BLOB)",
        )?;
        for (place, quarter) in by_quarters(&changes) {
            let mut marks = match only_adds(quarter) {
                true => Vec::with_capacity(quarter.len()),
                false => self.take_out(place)?,
            };
            carry_out(quarter, &mut marks, &mut days);
            if !marks.is_empty() {
                let [product, counted, number] = key(place);
                let run = pack(begin_of(place.quarter), &marks);
                append.execute(params![product, counted, number, run])?;
            }
        }
        self.add_to_days(&days)
    }

    /// Removes a quarter; the marks that it had.
    fn take_out(&self, place: Place) -> Result<Vec<Mark>> {
        let packed: Option<Vec<u8>> = self
            .connection
            .prepare_cached(
                "DELETE FROM usage_quarters \
                 WHERE product = ?1 AND counted = ?2 AND quarter = ?3 RETURNING edges",
            )?
            .query_row(key(place), |row| row.get(0))
            .optional()?;
        unpack(begin_of(place.quarter), &packed.unwrap_or_default()).map_err(unreadable)
    }

    fn add_to_days(&self, days: &Days) -> Result<()> {
        let mut add = self.connection.prepare_cached(
            "INSERT INTO usage_days (product, counted, line, day, seats_change, uses_change) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
             seats_change = seats_change + ?5, uses_change = uses_change + ?6",
        )?;
        for ([product, counted, line, day], level) in days.rows() {
            add.execute(params![
                product,
                counted,
                line,
                day,
                level.seats,
                level.uses
            ])?;
        }
        Ok(())
    }
}

fn key(place: Place) -> [i64; 3] {
    [place.product, counted_number(place.counted), place.quarter]
}

#[cfg(test)]
mod tests {
    use usher_core::usage::Span;

    use super::super::line::Line;
    use super::*;

    fn table(connection: &Connection, name: &str) -> Vec<String> {
        let sql = format!("SELECT * FROM {name}");
        let mut statement = connection.prepare(&sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..columns).map(|place| row.get::<_, rusqlite::types::Value>(place));
            values.collect::<Result<Vec<_>>>()
        });
        rows.unwrap()
            .map(|row| format!("{:?}", row.unwrap()))
            .collect()
    }

    fn changed(connection: &Connection, changes: &[(i64, i64, i64)]) {
        let mut roll_up = RollUp::new(connection);
        for (from_ms, until_ms, times) in changes {
            let span = Span {
                from_ms: *from_ms,
                until_ms: *until_ms,
                seats: 2,
            };
            let adds = [Some((Line::Wanted, span)), None, None];
            roll_up.change(7, Counted::Here, adds, *times).unwrap();
        }
        roll_up.write().unwrap();
    }

    #[test]
    fn what_is_taken_out_again_leaves_nothing_behind() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&crate::schema::STEPS.concat())
            .unwrap();
        changed(&connection, &[(5, 2_000_000, 1), (100, 200, 1)]);
        let before = table(&connection, "usage_quarters");
        assert_eq!(before.len(), 2);
        changed(&connection, &[(7, 100_000_000, 1), (100, 100, 2)]);
        assert_eq!(table(&connection, "usage_quarters").len(), 3);
        changed(&connection, &[(7, 100_000_000, -1), (100, 100, -2)]);
        assert_eq!(table(&connection, "usage_quarters"), before);
        changed(
            &connection,
            &[(5, 2_000_000, -1), (100, 200, -1), (9, 10, -1)],
        );
        assert_eq!(table(&connection, "usage_quarters"), [""; 0]);
        let sums = "SELECT sum(abs(seats_change) + abs(uses_change)) FROM usage_days";
        let sum: i64 = connection.query_row(sums, [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 0);
    }
}
