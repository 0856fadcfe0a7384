//! Keeps the roll-ups: the quarters of an hour in which uses begin and end, and the sums of days.
//!
//! A quarter is made again from all its edges whenever one comes or goes, in whatever order uses
//! come to light: so it is what the rows say, and a use of a year touches two quarters.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, params};
use usher_core::usage::{Counted, Edge, Level, Node, QUARTER_MS, Span};

use super::alone;
use super::line::{Adds, LeaseRow, Of, is_use, of_lease, of_session};
use super::packed::{pack, unpack};
use super::quarter::{QUARTERS_OF_DAY, number_of, unreadable};
use crate::collected::{Ended, HistoryItem};

/// Quarters that change at once before they are written.
pub(crate) const CHANGED_LIMIT: usize = 50_000;

/// What changes in a transaction, and is not written yet.
pub(crate) struct RollUp<'c> {
    connection: &'c Connection,
    /// For each quarter how many times each edge is added to it (or, below 0, taken out).
    changed: BTreeMap<(Of, i64), BTreeMap<Edge, i64>>,
}

impl<'c> RollUp<'c> {
    /// A roll-up with no change in it.
    pub(crate) fn new(connection: &'c Connection) -> RollUp<'c> {
        RollUp {
            connection,
            changed: BTreeMap::new(),
        }
    }

    /// What is new in the history, and there already, of the product with that number.
    pub(crate) fn add_ended(&mut self, product: i64, item: &HistoryItem) -> Result<()> {
        match &item.what {
            Ended::Session(it) => {
                let held = it
                    .lease
                    .map(|lease| alone::no_longer(self.connection, lease));
                if let Some((product, session)) = held.transpose()?.flatten() {
                    self.change(product, Counted::Here, session, -1)?;
                }
                self.change(product, Counted::Here, of_session(it.into()), 1)
            }
            Ended::Lease(it) if is_use(it) => {
                let is_session = it.session.is_none() && alone::is_alone(self.connection, it.key)?;
                let lease = LeaseRow {
                    seats: it.seats,
                    granted_ms: it.granted_ms,
                    ended_ms: it.ended_ms,
                    is_session,
                };
                self.change(product, Counted::Here, of_lease(lease), 1)
            }
            Ended::Lease(_) | Ended::Denial(_) | Ended::Wait(_) => Ok(()),
        }
    }

    /// Adds what a row says so many times; less than 0: takes it out.
    pub(super) fn change(
        &mut self,
        product: i64,
        counted: Counted,
        adds: Adds,
        times: i64,
    ) -> Result<()> {
        for (line, span) in adds.into_iter().flatten() {
            let of = Of {
                product,
                counted,
                line,
            };
            self.change_span(of, span, times);
        }
        match self.changed.len() < CHANGED_LIMIT {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn change_span(&mut self, of: Of, span: Span, times: i64) {
        let (begin, end) = span.edges();
        for edge in [Some(begin), end].into_iter().flatten() {
            let quarter = self.changed.entry((of, number_of(edge.at_ms)));
            *quarter.or_default().entry(edge).or_default() += times;
        }
    }

    /// Writes what has changed.
    pub(crate) fn write(&mut self) -> Result<()> {
        let mut days: BTreeMap<(Of, i64), Level> = BTreeMap::new();
        for ((of, quarter), changes) in std::mem::take(&mut self.changed) {
            let mut edges = self.edges(of, quarter)?;
            let day = quarter.div_euclid(QUARTERS_OF_DAY);
            let level = days.entry((of, day)).or_default();
            for (edge, times) in changes {
                let changed = apply(&mut edges, edge, times);
                let seats = changed.saturating_mul(edge.seats_change());
                level.seats = level.seats.saturating_add(seats);
                let uses = changed.saturating_mul(edge.uses_change());
                level.uses = level.uses.saturating_add(uses);
            }
            edges.sort_unstable();
            self.put(of, quarter, &edges)?;
        }
        for ((of, day), level) in days {
            let [product, counted, line] = of.columns();
            self.connection
                .prepare_cached(
                    "INSERT INTO usage_days (product, counted, line, day, seats_change, \
                     uses_change) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
                     seats_change = seats_change + ?5, uses_change = uses_change + ?6",
                )?
                .execute(params![
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

    fn edges(&self, of: Of, quarter: i64) -> Result<Vec<Edge>> {
        let [product, counted, line] = of.columns();
        let packed: Option<Vec<u8>> = self
            .connection
            .prepare_cached(
                "SELECT edges FROM usage_quarters \
                 WHERE product = ?1 AND counted = ?2 AND line = ?3 AND quarter = ?4",
            )?
            .query_row([product, counted, line, quarter], |row| row.get(0))
            .optional()?;
        let from_ms = quarter.saturating_mul(QUARTER_MS);
        unpack(from_ms, &packed.unwrap_or_default()).map_err(unreadable)
    }

    fn put(&self, of: Of, quarter: i64, edges: &[Edge]) -> Result<()> {
        let [product, counted, line] = of.columns();
        if edges.is_empty() {
            return self
                .connection
                .prepare_cached(
                    "DELETE FROM usage_quarters \
                     WHERE product = ?1 AND counted = ?2 AND line = ?3 AND quarter = ?4",
                )?
                .execute([product, counted, line, quarter])
                .map(drop);
        }
        let from_ms = quarter.saturating_mul(QUARTER_MS);
        let node = Node::of(from_ms, from_ms.saturating_add(QUARTER_MS), edges);
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO usage_quarters (product, counted, line, quarter, \
                 seats_change, uses_change, best_over, best_at_ms, seat_ms, use_ms, begun, \
                 ended_at_once, edges) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                product,
                counted,
                line,
                quarter,
                node.change,
                node.uses_change,
                node.best.map(|best| best.over),
                node.best.map(|best| best.at_ms),
                clamped(node.seat_ms),
                clamped(node.use_ms),
                crate::columns::signed(node.begun),
                crate::columns::signed(node.ended_at_once),
                pack(from_ms, edges),
            ])
            .map(drop)
    }
}

/// Adds an edge so many times, or takes it out; how many times that was done.
pub(crate) fn apply(edges: &mut Vec<Edge>, edge: Edge, times: i64) -> i64 {
    for _ in 0..times {
        edges.push(edge);
    }
    let mut changed = times.max(0);
    for _ in times..0 {
        let Some(place) = edges.iter().position(|other| *other == edge) else {
            break;
        };
        edges.swap_remove(place);
        changed -= 1;
    }
    changed
}

/// A quarter of an hour has fewer seat milliseconds than a column holds: 900,000 times the seats.
pub(crate) fn clamped(ms: i128) -> i64 {
    i64::try_from(ms).unwrap_or(match ms < 0 {
        true => i64::MIN,
        false => i64::MAX,
    })
}

#[cfg(test)]
mod tests {
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
