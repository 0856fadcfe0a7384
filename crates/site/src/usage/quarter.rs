//! Quarters of an hour by their numbers, and reading one that is kept.

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use usher_core::usage::{Best, Edge, Node, QUARTER_MS};

use super::packed::{Unreadable, unpack};
use crate::columns::unsigned;

/// Quarters of an hour in a day.
pub(crate) const QUARTERS_OF_DAY: i64 = 96;

/// The columns that [`read`] takes, in its order.
pub(crate) const COLUMNS: &str = "quarter, seats_change, uses_change, best_over, best_at_ms, \
    seat_ms, use_ms, begun, ended_at_once, edges";

/// The place of the edges among them.
const EDGES: usize = 9;

/// The number of the quarter of an instant.
pub(crate) fn number_of(ms: i64) -> i64 {
    ms.div_euclid(QUARTER_MS)
}

/// A quarter with its edges.
pub(super) fn read(row: &Row<'_>) -> Result<(Node, Vec<Edge>)> {
    let from_ms = row.get::<_, i64>(0)?.saturating_mul(QUARTER_MS);
    let best: Option<i64> = row.get(3)?;
    let best_at_ms: Option<i64> = row.get(4)?;
    let node = Node {
        from_ms,
        to_ms: from_ms.saturating_add(QUARTER_MS),
        change: row.get(1)?,
        uses_change: row.get(2)?,
        best: best
            .zip(best_at_ms)
            .map(|(over, at_ms)| Best { over, at_ms }),
        seat_ms: row.get::<_, i64>(5)?.into(),
        use_ms: row.get::<_, i64>(6)?.into(),
        begun: unsigned(row.get(7)?),
        ended_at_once: unsigned(row.get(8)?),
    };
    let packed = row.get_ref(EDGES)?.as_blob()?;
    let edges = unpack(from_ms, packed).map_err(unreadable)?;
    Ok((node, edges))
}

/// As a failure of the database.
pub(super) fn unreadable(why: Unreadable) -> Error {
    Error::FromSqlConversionFailure(EDGES, Type::Blob, Box::new(why))
}
