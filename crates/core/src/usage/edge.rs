//! A use of seats for a time, and what changes at its beginning and its end.

/// What happens to the seats in use. The order is that of what happens at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// A use that had some length ends.
    End,
    /// A use begins.
    Begin,
    /// A use of no length ends, at the instant at which it began.
    InstantEnd,
}

/// One end of a use. Edges are ordered by instant, then by what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// What happens.
    pub change: Change,
    /// Seats of the use.
    pub seats: u32,
}

impl Edge {
    /// By how many seats it changes what is in use.
    pub fn seats_change(self) -> i64 {
        self.uses_change() * i64::from(self.seats)
    }

    /// By how many uses it changes how many there are: 1 or -1.
    pub fn uses_change(self) -> i64 {
        match self.change {
            Change::Begin => 1,
            Change::End | Change::InstantEnd => -1,
        }
    }
}

/// A use of seats: a half-open interval, or one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// When it begins, in Unix milliseconds.
    pub from_ms: i64,
    /// When it ends: at that instant its seats are free. `i64::MAX` while it lasts. If it is not
    /// after the beginning, the use has no length and counts at the instant of its beginning.
    pub until_ms: i64,
    /// Seats.
    pub seats: u32,
}

impl Span {
    /// Whether it counts at one instant only.
    pub fn is_instant(self) -> bool {
        self.until_ms <= self.from_ms
    }

    /// Its beginning, and its end if it has one.
    pub fn edges(self) -> (Edge, Option<Edge>) {
        let edge = |at_ms, change| Edge {
            at_ms,
            change,
            seats: self.seats,
        };
        let end = match self.until_ms {
            i64::MAX => None,
            _ if self.is_instant() => Some(edge(self.from_ms, Change::InstantEnd)),
            until_ms => Some(edge(until_ms, Change::End)),
        };
        (edge(self.from_ms, Change::Begin), end)
    }

    /// The part of it before an instant; none if it begins then or later.
    pub fn before(self, ms: i64) -> Option<Span> {
        let until_ms = self.until_ms.min(ms);
        (self.from_ms < ms).then_some(Span { until_ms, ..self })
    }

    /// For how many milliseconds of `from_ms` to `to_ms` it lasts.
    pub fn ms_within(self, from_ms: i64, to_ms: i64) -> u64 {
        let (from_ms, until_ms) = (self.from_ms.max(from_ms), self.until_ms.min(to_ms));
        match from_ms < until_ms {
            true => until_ms.abs_diff(from_ms),
            false => 0,
        }
    }
}
