//! A day of a product in few bytes: each quantity on the whole day, and in each hour (UTC) in which something
//! changes. Of each there is its node, and for how long each level lasts over that at its beginning. Buckets
//! of days, weeks and months of most zones consist of whole hours, and most days are in one of them, so no
//! use is looked at.

use usher_core::usage::{Best, Edge, Gaps, Node, QUARTER_MS, Tally};

use super::line::LINES;
use super::mark::{Mark, edges_of};
use super::packed::{Unreadable, put, put_signed, take, take_signed};
use super::quarter::{DAY_MS, QUARTERS_OF_HOUR};
use crate::columns::unsigned;

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = QUARTERS_OF_HOUR * QUARTER_MS;
/// Hours in a day.
pub(crate) const HOURS_OF_DAY: i64 = 24;

/// An hour, or a day, in which something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rolled {
    pub(crate) node: Node,
    /// Milliseconds at each level, over a level of 0 at its beginning; empty if that is not kept.
    pub(crate) levels: Vec<(i64, u64)>,
}

/// Those of each quantity, by the places of the quantities.
pub(crate) type OfLines = [Vec<Rolled>; LINES.len()];

/// Quarters, in their order.
type Quarters = [(Node, Vec<Edge>)];

/// The day that begins at `day_ms`, packed: of its quarters, in their order.
pub(crate) fn pack_lines(day_ms: i64, quarters: &[(i64, Vec<Mark>)]) -> Vec<u8> {
    let of_lines = LINES.map(|line| {
        let of_line = quarters.iter().filter_map(|(from_ms, marks)| {
            let edges: Vec<Edge> = edges_of(marks, line).collect();
            let to_ms = from_ms.saturating_add(QUARTER_MS);
            (!edges.is_empty()).then(|| (Node::of(*from_ms, to_ms, &edges), edges))
        });
        (line, of_line.collect::<Vec<_>>())
    });
    let mut bytes = Vec::new();
    for length_ms in [DAY_MS, HOUR_MS] {
        for (line, quarters) in &of_lines {
            let rolled = rolled(quarters, length_ms, line.has_levels());
            let rolled = pack(day_ms, length_ms, &rolled);
            put(&mut bytes, u64::try_from(rolled.len()).unwrap_or(u64::MAX));
            bytes.extend_from_slice(&rolled);
        }
    }
    bytes
}

/// Of a day that [`pack_lines`] has packed: the whole.
pub(crate) fn unpack_day(day_ms: i64, bytes: &[u8]) -> Result<OfLines, Unreadable> {
    let mut rest = bytes;
    of_lines(day_ms, DAY_MS, &mut rest)
}

/// The same: its hours.
pub(crate) fn unpack_hours(day_ms: i64, bytes: &[u8]) -> Result<OfLines, Unreadable> {
    let mut rest = bytes;
    for _ in LINES {
        section(&mut rest).ok_or(Unreadable)?;
    }
    of_lines(day_ms, HOUR_MS, &mut rest)
}

fn of_lines(day_ms: i64, length_ms: i64, rest: &mut &[u8]) -> Result<OfLines, Unreadable> {
    let mut lines = OfLines::default();
    for rolled in &mut lines {
        let of_line = section(rest).ok_or(Unreadable)?;
        *rolled = unpack(day_ms, length_ms, of_line)?;
    }
    Ok(lines)
}

/// The next bytes that have their length before them.
fn section<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take(rest)?).ok()?;
    let (section, others) = rest.split_at_checked(length)?;
    *rest = others;
    Some(section)
}

/// What quarters come to in times of that length. `has_levels`: with how long each level lasts.
fn rolled(quarters: &Quarters, length_ms: i64, has_levels: bool) -> Vec<Rolled> {
    let number_of = |node: &Node| node.from_ms.div_euclid(length_ms);
    let times = quarters.chunk_by(|one, other| number_of(&one.0) == number_of(&other.0));
    let times = times.filter_map(|of| {
        let from_ms = number_of(&of.first()?.0).saturating_mul(length_ms);
        let to_ms = from_ms.saturating_add(length_ms);
        let edges = of.iter().flat_map(|(_, edges)| edges);
        let tally = has_levels.then(|| Tally::of(0, (from_ms, to_ms), edges, &Gaps::default()));
        let levels = tally.map(|tally| tally.levels().collect());
        Some(Rolled {
            node: Node::joined(from_ms, to_ms, of.iter().map(|(node, _)| *node)),
            levels: levels.unwrap_or_default(),
        })
    });
    times.collect()
}

/// Times of that length of the day that begins at `day_ms`, in their order.
fn pack(day_ms: i64, length_ms: i64, all: &[Rolled]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Rolled { node, levels } in all {
        let after_ms = node.from_ms.saturating_sub(day_ms);
        put(&mut bytes, unsigned(after_ms.div_euclid(length_ms)));
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

/// Those that [`pack`] has packed.
fn unpack(day_ms: i64, length_ms: i64, bytes: &[u8]) -> Result<Vec<Rolled>, Unreadable> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        all.push(next(day_ms, length_ms, &mut rest).ok_or(Unreadable)?);
    }
    Ok(all)
}

/// A sum of milliseconds as the tables have it: it ends at the largest of 64 bits.
fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

fn next(day_ms: i64, length_ms: i64, bytes: &mut &[u8]) -> Option<Rolled> {
    let place = i64::try_from(take(bytes)?).ok()?;
    if place >= DAY_MS / length_ms {
        return None;
    }
    let from_ms = day_ms.checked_add(place * length_ms)?;
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
        to_ms: from_ms.checked_add(length_ms)?,
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
    Some(Rolled { node, levels })
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
    fn hours_and_days_are_read_as_they_were_packed() {
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
            for (length_ms, many) in [(HOUR_MS, 3), (DAY_MS, 1)] {
                let all = rolled(quarters, length_ms, has_levels);
                assert_eq!(all.len(), many);
                assert_eq!(all[0].levels.is_empty(), !has_levels);
                let bytes = pack(day_ms, length_ms, &all);
                assert_eq!(unpack(day_ms, length_ms, &bytes), Ok(all));
                for cut in 1..bytes.len() {
                    let cut = unpack(day_ms, length_ms, &bytes[..cut]);
                    assert!(cut.is_err() || cut.unwrap().len() < many);
                }
            }
        }
        assert_eq!(unpack(0, HOUR_MS, &[24]), Err(Unreadable));
        assert_eq!(unpack_day(0, &[0, 0]), Err(Unreadable));
    }
}
