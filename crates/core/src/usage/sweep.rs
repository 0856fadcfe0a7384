//! The most that was in use at once, from rows alone: one pass over their sorted ends.

use super::edge::Span;

/// The most seats in use at once and the first instant of it, in Unix milliseconds; none if no seat
/// ever was. At one instant ends come first, then beginnings; a use of no length counts at its
/// instant. Takes 32 bytes for each use, and sorts its ends.
pub fn peak(spans: impl IntoIterator<Item = Span>) -> Option<(u64, i64)> {
    let spans = spans.into_iter();
    let mut begins: Vec<(i64, u32)> = Vec::with_capacity(spans.size_hint().0);
    let mut ends: Vec<(i64, u32)> = Vec::with_capacity(spans.size_hint().0);
    let mut instants: Vec<(i64, u32)> = Vec::new();
    for span in spans {
        begins.push((span.from_ms, span.seats));
        match span.is_instant() {
            true => instants.push((span.from_ms, span.seats)),
            false => ends.push((span.until_ms, span.seats)),
        }
    }
    begins.sort_unstable();
    ends.sort_unstable();
    instants.sort_unstable();
    let (mut ends, mut instants) = (ends.as_slice(), instants.as_slice());
    let mut level = 0_u64;
    let mut found: Option<(u64, i64)> = None;
    // After the last beginning the level only falls.
    for together in begins.chunk_by(|one, next| one.0 == next.0) {
        let Some((now_ms, _)) = together.first().copied() else {
            continue;
        };
        level = level.saturating_sub(seats_up_to(&mut ends, now_ms));
        let begun = together.iter().map(|begin| u64::from(begin.1));
        level = begun.fold(level, u64::saturating_add);
        if level > found.map_or(0, |(most, _)| most) {
            found = Some((level, now_ms));
        }
        level = level.saturating_sub(seats_up_to(&mut instants, now_ms));
    }
    found
}

/// The seats of those up to an instant, which are taken from the front.
fn seats_up_to(left: &mut &[(i64, u32)], ms: i64) -> u64 {
    let mut seats = 0_u64;
    while let Some(((at_ms, of), rest)) = left.split_first()
        && *at_ms <= ms
    {
        seats = seats.saturating_add(u64::from(*of));
        *left = rest;
    }
    seats
}
