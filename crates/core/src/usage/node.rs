//! The form in which use is rolled up: what a stretch of time adds to what was in use before it.
//!
//! A node knows nothing of the level at its beginning. So a use that comes to light late changes
//! only the nodes in which it begins and ends, and not those that it runs through; and nodes join
//! to those of longer stretches, in any grouping, without another look at the uses.

use super::edge::{Change, Edge};

/// How much is in use at an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// Seats.
    pub seats: i64,
    /// Uses.
    pub uses: i64,
}

/// The highest level of a node, and when it is first reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// Seats over those in use just before the node; less than 0 if the node begins with ends and
    /// never comes back to as many.
    pub over: i64,
    /// The first instant with so many, in Unix milliseconds.
    pub at_ms: i64,
}

/// What happens from one instant, included, to another, not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Unix milliseconds.
    pub from_ms: i64,
    /// Unix milliseconds.
    pub to_ms: i64,
    /// Seats in use just before its end less those in use just before its beginning.
    pub change: i64,
    /// None if it has no length.
    pub best: Option<Best>,
    /// Seats times milliseconds, of the changes in it: seats in use before come on top.
    pub seat_ms: i128,
    /// Uses times milliseconds, as of `seat_ms`.
    pub use_ms: i128,
    /// As `change`, in uses.
    pub uses_change: i64,
    /// Uses that begin in it.
    pub begun: u64,
    /// Uses that end at its very beginning, so they are no uses of this stretch.
    pub ended_at_once: u64,
}

impl Node {
    /// A stretch in which nothing changes.
    pub fn quiet(from_ms: i64, to_ms: i64) -> Node {
        let at_ms = from_ms;
        Node {
            from_ms,
            to_ms: to_ms.max(from_ms),
            change: 0,
            best: (from_ms < to_ms).then_some(Best { over: 0, at_ms }),
            seat_ms: 0,
            use_ms: 0,
            uses_change: 0,
            begun: 0,
            ended_at_once: 0,
        }
    }

    /// Goes once through `edges`, which are in their order and within the stretch.
    pub fn of(from_ms: i64, to_ms: i64, edges: &[Edge]) -> Node {
        let mut node = Node::quiet(from_ms, to_ms);
        if edges.first().is_some_and(|first| first.at_ms <= from_ms) {
            // What was in use just before is not in use at any instant of the stretch.
            node.best = None;
        }
        for (place, edge) in edges.iter().enumerate() {
            let left_ms = length_ms(edge.at_ms, to_ms);
            let (seats, uses) = (edge.seats_change(), edge.uses_change());
            node.change = node.change.saturating_add(seats);
            node.uses_change = node.uses_change.saturating_add(uses);
            node.seat_ms = node.seat_ms.saturating_add(times(seats, left_ms));
            node.use_ms = node.use_ms.saturating_add(times(uses, left_ms));
            match edge.change {
                Change::Begin => node.begun += 1,
                Change::End if edge.at_ms == from_ms => node.ended_at_once += 1,
                Change::End | Change::InstantEnd => {}
            }
            let more_before_it_counts = edges
                .get(place + 1)
                .is_some_and(|next| next.at_ms == edge.at_ms && next.change != Change::InstantEnd);
            let counts = edge.change != Change::InstantEnd && !more_before_it_counts;
            if counts && node.best.is_none_or(|best| node.change > best.over) {
                node.best = Some(Best {
                    over: node.change,
                    at_ms: edge.at_ms,
                });
            }
        }
        node
    }

    /// From an instant to another, of `nodes` that lie between them, in order: those of a roll-up,
    /// and those of the parts that the two instants cut off quarters.
    pub fn joined(from_ms: i64, to_ms: i64, nodes: impl IntoIterator<Item = Node>) -> Node {
        let begin = Node::quiet(from_ms, from_ms);
        let joined = nodes.into_iter().fold(begin, Node::join);
        joined.join(Node::quiet(to_ms, to_ms))
    }

    /// This stretch and a later one. In a gap between the two nothing changes. `later` must not
    /// begin before this one ends.
    pub fn join(self, later: Node) -> Node {
        let gap = Node::quiet(self.to_ms, later.from_ms);
        self.join_next(gap).join_next(later)
    }

    fn join_next(self, next: Node) -> Node {
        let over = |best: Best| Best {
            over: best.over.saturating_add(self.change),
            ..best
        };
        let best = match (self.best, next.best.map(over)) {
            (Some(first), Some(second)) if second.over > first.over => Some(second),
            (first, second) => first.or(second),
        };
        let next_ms = length_ms(next.from_ms, next.to_ms);
        let sum = |one: i128, other: i128, change: i64| {
            let on_top = times(change, next_ms);
            one.saturating_add(other).saturating_add(on_top)
        };
        let ended_at_once = match self.from_ms < self.to_ms {
            true => self.ended_at_once,
            false => next.ended_at_once,
        };
        Node {
            from_ms: self.from_ms,
            to_ms: next.to_ms.max(self.to_ms),
            change: self.change.saturating_add(next.change),
            best,
            seat_ms: sum(self.seat_ms, next.seat_ms, self.change),
            use_ms: sum(self.use_ms, next.use_ms, self.uses_change),
            uses_change: self.uses_change.saturating_add(next.uses_change),
            begun: self.begun.saturating_add(next.begun),
            ended_at_once,
        }
    }

    /// The level behind it.
    pub fn after(&self, opening: Level) -> Level {
        Level {
            seats: opening.seats.saturating_add(self.change),
            uses: opening.uses.saturating_add(self.uses_change),
        }
    }

    /// The most seats in use at once and the first instant of it; 0 and none if there were none.
    pub fn peak(&self, opening: Level) -> (u64, Option<i64>) {
        let seats = self
            .best
            .map(|best| opening.seats.saturating_add(best.over));
        match seats.and_then(|seats| u64::try_from(seats).ok()) {
            None | Some(0) => (0, None),
            Some(seats) => (seats, self.best.map(|best| best.at_ms)),
        }
    }

    /// Uses that overlap it.
    pub fn uses(&self, opening: Level) -> u64 {
        let running = u64::try_from(opening.uses).unwrap_or(0);
        let running = running.saturating_sub(self.ended_at_once);
        running.saturating_add(self.begun)
    }

    /// Seats in use times milliseconds.
    pub fn seat_ms(&self, opening: Level) -> u128 {
        let on_top = times(opening.seats, length_ms(self.from_ms, self.to_ms));
        u128::try_from(self.seat_ms.saturating_add(on_top)).unwrap_or(0)
    }

    /// Uses times milliseconds: how long all of them lasted together.
    pub fn use_ms(&self, opening: Level) -> u128 {
        let on_top = times(opening.uses, length_ms(self.from_ms, self.to_ms));
        u128::try_from(self.use_ms.saturating_add(on_top)).unwrap_or(0)
    }
}

/// 0 if the end is not after the beginning.
fn length_ms(from_ms: i64, to_ms: i64) -> i128 {
    (i128::from(to_ms) - i128::from(from_ms)).max(0)
}

fn times(change: i64, ms: i128) -> i128 {
    i128::from(change).saturating_mul(ms)
}
