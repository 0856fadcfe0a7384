//! An edge with the quantities that it is an edge of: what happens to several of them at one instant is
//! kept once.

use usher_core::usage::Edge;

use super::line::{Adds, LINES, Line};

/// Quantities, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineSet(u8);

impl LineSet {
    /// That one.
    fn of(line: Line) -> LineSet {
        LineSet(1 << line.place())
    }

    /// As [`LineSet::bits`] gave them; none: they are none.
    pub(super) fn of_bits(bits: u8) -> Option<LineSet> {
        (1..1 << LINES.len())
            .contains(&bits)
            .then_some(LineSet(bits))
    }

    /// A bit for each quantity.
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn contains(self, line: Line) -> bool {
        self.0 & LineSet::of(line).0 != 0
    }

    /// The same without that one; none: nothing is left.
    fn without(self, line: Line) -> Option<LineSet> {
        LineSet::of_bits(self.0 & !LineSet::of(line).0)
    }
}

/// An edge of some quantities. Marks are ordered as their edges are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) edge: Edge,
    pub(crate) of: LineSet,
}

/// Those of what a row adds: at most two for each quantity.
pub(crate) fn marks(adds: Adds) -> impl Iterator<Item = Mark> {
    let mut found: [Option<Mark>; 2 * LINES.len()] = Default::default();
    for (line, span) in adds.into_iter().flatten() {
        let (begin, end) = span.edges();
        for edge in [Some(begin), end].into_iter().flatten() {
            add(&mut found, edge, line);
        }
    }
    found.into_iter().flatten()
}

/// Joins an edge to the mark of the same one, or puts it behind the last.
fn add(found: &mut [Option<Mark>], edge: Edge, line: Line) {
    let of = LineSet::of(line);
    for place in found {
        match place {
            Some(mark) if mark.edge == edge => {
                mark.of = LineSet(mark.of.0 | of.0);
                return;
            }
            Some(_) => {}
            None => {
                *place = Some(Mark { edge, of });
                return;
            }
        }
    }
}

/// The edges of a quantity, in the order of the marks.
pub(crate) fn edges_of(marks: &[Mark], line: Line) -> impl Iterator<Item = Edge> {
    let of_it = marks.iter().filter(move |mark| mark.of.contains(line));
    of_it.map(|mark| mark.edge)
}

/// Adds a mark so many times, or (below 0) takes its edge out of its quantities; for each quantity, how
/// many times that was done.
pub(crate) fn apply(marks: &mut Vec<Mark>, mark: Mark, times: i64) -> [i64; LINES.len()] {
    for _ in 0..times {
        marks.push(mark);
    }
    let mut done = [0; LINES.len()];
    for (line, done) in LINES.into_iter().zip(&mut done) {
        if mark.of.contains(line) {
            *done = match times < 0 {
                true => -take_out(marks, mark.edge, line, times.unsigned_abs()),
                false => times,
            };
        }
    }
    done
}

/// How many of that edge there were to take out of a quantity, at most so many.
fn take_out(marks: &mut Vec<Mark>, edge: Edge, line: Line, times: u64) -> i64 {
    let mut taken = 0;
    for _ in 0..times {
        let is_it = |other: &Mark| other.edge == edge && other.of.contains(line);
        let Some(place) = marks.iter().position(is_it) else {
            break;
        };
        match marks[place].of.without(line) {
            Some(of) => marks[place].of = of,
            None => {
                marks.swap_remove(place);
            }
        }
        taken += 1;
    }
    taken
}

#[cfg(test)]
mod tests {
    use usher_core::usage::Span;

    use super::super::line::{LeaseRow, SessionRow, of_lease, of_session};
    use super::*;

    #[test]
    fn an_edge_of_several_quantities_is_one_mark() {
        let unseated = of_session(SessionRow {
            started_ms: 10,
            ended_ms: 30,
            unseated_ms: 20,
            has_lease: false,
        });
        let all: Vec<Mark> = marks(unseated).collect();
        assert_eq!(all.len(), 2);
        for line in LINES {
            let at: Vec<i64> = edges_of(&all, line).map(|edge| edge.at_ms).collect();
            assert_eq!(at, [10, 30], "{line:?}");
        }
        let of_two = of_lease(LeaseRow {
            seats: 2,
            granted_ms: 10,
            ended_ms: 30,
            is_session: true,
        });
        assert_eq!(marks(of_two).count(), 4);
    }

    #[test]
    fn what_is_taken_out_of_a_quantity_stays_in_the_others() {
        let span = Span {
            from_ms: 10,
            until_ms: 30,
            seats: 1,
        };
        let both = [
            Some((Line::Wanted, span)),
            Some((Line::Running, span)),
            None,
        ];
        let mut all: Vec<Mark> = marks(both).collect();
        let running = [None, Some((Line::Running, span)), None];
        for mark in marks(running) {
            assert_eq!(apply(&mut all, mark, -2), [0, -1, 0]);
        }
        assert_eq!(edges_of(&all, Line::Running).count(), 0);
        assert_eq!(edges_of(&all, Line::Wanted).count(), 2);
        for mark in marks([Some((Line::Wanted, span)), None, None]) {
            assert_eq!(apply(&mut all, mark, -1), [-1, 0, 0]);
        }
        assert_eq!(all, []);
    }
}
