//! A day of a quantity in few bytes, by hours (UTC) in which something changes: of each its node, and
//! for how long each level lasts over that at its beginning. Buckets of days, weeks and months of most
//! zones consist of whole hours, which need no look at each use.

use usher_core::usage::{Best, Edge, Gaps, Node, QUARTER_MS, Tally};

use super::line::LINES;
use super::mark::{Mark, edges_of};
use super::packed::{Unreadable, put, put_signed, take, take_signed};
use super::quarter::QUARTERS_OF_HOUR;
use crate::columns::unsigned;

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = QUARTERS_OF_HOUR * QUARTER_MS;
/// Hours in a day.
pub(crate) const HOURS_OF_DAY: i64 = 24;

/// An hour in which something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hour {
    pub(crate) node: Node,
    /// Milliseconds at each level, over a level of 0 at its beginning; empty if that is not kept.
    pub(crate) levels: Vec<(i64, u64)>,
}

/// The hours of each quantity of the day that begins at `day_ms`, packed: of its quarters, in their order.
pub(crate) fn pack_lines(day_ms: i64, quarters: &[(i64, Vec<Mark>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in LINES {
        let of_line = quarters.iter().filter_map(|(from_ms, marks)| {
            let edges: Vec<Edge> = edges_of(marks, line).collect();
            let to_ms = from_ms.saturating_add(QUARTER_MS);
            (!edges.is_empty()).then(|| (Node::of(*from_ms, to_ms, &edges), edges))
        });
        let of_line: Vec<(Node, Vec<Edge>)> = of_line.collect();
        let hours = pack_hours(day_ms, &hours_of(&of_line, line.has_levels()));
        put(&mut bytes, u64::try_from(hours.len()).unwrap_or(u64::MAX));
        bytes.extend_from_slice(&hours);
    }
    bytes
}

/// Those that [`pack_lines`] has packed, by the places of the quantities.
pub(crate) fn unpack_lines(
    day_ms: i64,
    bytes: &[u8],
) -> Result<[Vec<Hour>; LINES.len()], Unreadable> {
    let mut lines: [Vec<Hour>; LINES.len()] = Default::default();
    let mut rest = bytes;
    for hours in &mut lines {
        let length = take(&mut rest).and_then(|length| usize::try_from(length).ok());
        let parts = length.and_then(|length| rest.split_at_checked(length));
        let (of_line, others) = parts.ok_or(Unreadable)?;
        *hours = unpack_hours(day_ms, of_line)?;
        rest = others;
    }
    Ok(lines)
}

/// The hours of quarters, which are in their order. `has_levels`: with how long each level lasts.
fn hours_of(quarters: &[(Node, Vec<Edge>)], has_levels: bool) -> Vec<Hour> {
    let hour_of = |node: &Node| node.from_ms.div_euclid(HOUR_MS);
    let hours = quarters.chunk_by(|one, other| hour_of(&one.0) == hour_of(&other.0));
    let hours = hours.filter_map(|of| {
        let from_ms = hour_of(&of.first()?.0).saturating_mul(HOUR_MS);
        let to_ms = from_ms.saturating_add(HOUR_MS);
        let edges = of.iter().flat_map(|(_, edges)| edges);
        let tally = has_levels.then(|| Tally::of(0, (from_ms, to_ms), edges, &Gaps::default()));
        let levels = tally.map(|tally| tally.levels().collect());
        Some(Hour {
            node: Node::joined(from_ms, to_ms, of.iter().map(|(node, _)| *node)),
            levels: levels.unwrap_or_default(),
        })
    });
    hours.collect()
}

/// The hours of the day that begins at `day_ms`, in their order.
fn pack_hours(day_ms: i64, hours: &[Hour]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Hour { node, levels } in hours {
        let after_ms = node.from_ms.saturating_sub(day_ms);
        put(&mut bytes, unsigned(after_ms.div_euclid(HOUR_MS)));
        put_signed(&mut bytes, node.change);
        put_signed(&mut bytes, node.uses_change);
        put(&mut bytes, u64::from(node.best.is_some()));
        if let Some(best) = node.best {
            put_signed(&mut bytes, best.over);
            put(&mut bytes, best.at_ms.abs_diff(node.from_ms));
        }
        put_signed(&mut bytes, clamped(node.seat_ms));
        put_signed(&mut bytes, clamped(node.use_ms));
        put(&mut bytes, node.begun);
        put(&mut bytes, node.ended_at_once);
        put(&mut bytes, u64::try_from(levels.len()).unwrap_or(u64::MAX));
        let mut before = 0;
        for (level, ms) in levels {
            put_signed(&mut bytes, level.saturating_sub(before));
            put(&mut bytes, *ms);
            before = *level;
        }
    }
    bytes
}

/// Those that [`pack_hours`] has packed.
fn unpack_hours(day_ms: i64, bytes: &[u8]) -> Result<Vec<Hour>, Unreadable> {
    let mut hours = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        hours.push(hour(day_ms, &mut rest).ok_or(Unreadable)?);
    }
    Ok(hours)
}

/// A sum of milliseconds as the tables have it: it ends at the largest of 64 bits.
fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

fn hour(day_ms: i64, bytes: &mut &[u8]) -> Option<Hour> {
    let place = i64::try_from(take(bytes)?).ok()?;
    if place >= HOURS_OF_DAY {
        return None;
    }
    let from_ms = day_ms.checked_add(place * HOUR_MS)?;
    let (change, uses_change) = (take_signed(bytes)?, take_signed(bytes)?);
    let best = match take(bytes)? {
        0 => None,
        _ => Some(Best {
            over: take_signed(bytes)?,
            at_ms: from_ms.checked_add_unsigned(take(bytes)?)?,
        }),
    };
    let node = Node {
        from_ms,
        to_ms: from_ms.checked_add(HOUR_MS)?,
        change,
        uses_change,
        best,
        seat_ms: take_signed(bytes)?.into(),
        use_ms: take_signed(bytes)?.into(),
        begun: take(bytes)?,
        ended_at_once: take(bytes)?,
    };
    let mut levels = Vec::new();
    let mut level = 0_i64;
    for _ in 0..take(bytes)? {
        level = level.checked_add(take_signed(bytes)?)?;
        levels.push((level, take(bytes)?));
    }
    Some(Hour { node, levels })
}

#[cfg(test)]
mod tests {
    use usher_core::usage::{Span, Timeline};

    use super::*;

    fn quarters(spans: &[(i64, i64, u32)]) -> Vec<(Node, Vec<Edge>)> {
        let spans = spans.iter().map(|(from_ms, until_ms, seats)| Span {
            from_ms: *from_ms,
            until_ms: *until_ms,
            seats: *seats,
        });
        let timeline = Timeline::of(spans);
        let quarters = timeline.quarters();
        quarters
            .map(|(node, edges)| (node, edges.to_vec()))
            .collect()
    }

    #[test]
    fn hours_are_read_as_they_were_packed() {
        let day_ms = -24 * HOUR_MS;
        let quarters = quarters(&[
            (day_ms, day_ms + 7, 3),
            (day_ms + QUARTER_MS - 1, day_ms + 5 * HOUR_MS, u32::MAX),
            (day_ms + 5 * HOUR_MS, day_ms + 5 * HOUR_MS, 1),
            (-1, 0, 2),
        ]);
        // The end at midnight is of the next day.
        let quarters = &quarters[..quarters.len() - 1];
        for has_levels in [true, false] {
            let hours = hours_of(quarters, has_levels);
            assert_eq!(hours.len(), 3);
            assert_eq!(hours[0].levels.is_empty(), !has_levels);
            let bytes = pack_hours(day_ms, &hours);
            assert_eq!(unpack_hours(day_ms, &bytes), Ok(hours));
            for cut in 1..bytes.len() {
                let cut = unpack_hours(day_ms, &bytes[..cut]);
                assert!(cut.is_err() || cut.unwrap().len() < 3);
            }
        }
        assert_eq!(unpack_hours(0, &[24]), Err(Unreadable));
    }
}
