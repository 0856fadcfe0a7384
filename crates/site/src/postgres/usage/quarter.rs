//! Reading a quarter of an hour that is kept.

use usher_core::usage::{Best, Edge, Node, QUARTER_MS};

use super::super::failure::Result;
use super::super::values::Row;
use crate::columns::unsigned;
use crate::usage::unpack;

/// A quarter with its edges: the columns are [`crate::usage::COLUMNS`].
pub(super) fn read(row: &Row) -> Result<(Node, Vec<Edge>)> {
    let from_ms = row.get::<i64>(0)?.saturating_mul(QUARTER_MS);
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
        seat_ms: row.get::<i64>(5)?.into(),
        use_ms: row.get::<i64>(6)?.into(),
        begun: unsigned(row.get(7)?),
        ended_at_once: unsigned(row.get(8)?),
    };
    let edges = unpack(from_ms, &row.get::<Vec<u8>>(9)?)?;
    Ok((node, edges))
}
