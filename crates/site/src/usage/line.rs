//! Which quantities are rolled up, and what a row of the history says of them.

use usher_core::usage::{Counted, Span};

use crate::archive::ArchivedUse;
use crate::collected::{EndedLease, EndedSession, UNCLAIMED};

/// A quantity that is rolled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    /// Leases and what runs unseated together.
    Wanted,
    /// Sessions.
    Running,
    /// Sessions for as long as they had no seat.
    Unseated,
}

/// All of them, by their places.
pub(crate) const LINES: [Line; 3] = [Line::Wanted, Line::Running, Line::Unseated];

impl Line {
    /// Whether it is asked how long each level of it lasts: p95 and mean are of what is wanted.
    pub(crate) fn has_levels(self) -> bool {
        self == Line::Wanted
    }

    /// Its place in [`LINES`].
    pub(crate) fn place(self) -> usize {
        match self {
            Line::Wanted => 0,
            Line::Running => 1,
            Line::Unseated => 2,
        }
    }
}

/// The quantity that the tables call so; none: there is no such.
pub(crate) fn line_of(number: i64) -> Option<Line> {
    let place = usize::try_from(number).ok()?;
    LINES.get(place).copied()
}

/// Of which product, by its number, and which quantity of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Of {
    pub(crate) product: i64,
    pub(crate) counted: Counted,
    pub(crate) line: Line,
}

impl Of {
    /// As the tables have it.
    pub(crate) fn columns(self) -> [i64; 3] {
        let line = self.line.place() as i64;
        [self.product, counted_number(self.counted), line]
    }
}

/// As the tables have it.
pub(crate) fn counted_number(counted: Counted) -> i64 {
    match counted {
        Counted::Here => 0,
        Counted::Elsewhere => 1,
    }
}

/// What a row adds: to which quantity, and when.
pub(crate) type Adds = [Option<(Line, Span)>; 3];

/// What is needed of a session.
pub(crate) struct SessionRow {
    pub(crate) started_ms: i64,
    pub(crate) ended_ms: i64,
    pub(crate) unseated_ms: i64,
    pub(crate) has_lease: bool,
}

impl From<&EndedSession> for SessionRow {
    fn from(it: &EndedSession) -> SessionRow {
        SessionRow {
            started_ms: it.started_ms,
            ended_ms: it.ended_ms,
            unseated_ms: crate::columns::signed(it.unseated_ms),
            has_lease: it.lease.is_some(),
        }
    }
}

/// A session that had a lease at some time was without a seat before.
pub(crate) fn of_session(it: SessionRow) -> Adds {
    let run = Span {
        from_ms: it.started_ms,
        until_ms: it.ended_ms.max(it.started_ms),
        seats: 1,
    };
    let unseated_until_ms = match it.has_lease {
        false => Some(run.until_ms),
        true if it.unseated_ms > 0 => {
            let until_ms = it.started_ms.saturating_add(it.unseated_ms);
            Some(until_ms.min(run.until_ms))
        }
        true => None,
    };
    let unseated = unseated_until_ms.map(|until_ms| Span { until_ms, ..run });
    [
        Some((Line::Running, run)),
        unseated.map(|span| (Line::Unseated, span)),
        unseated.map(|span| (Line::Wanted, span)),
    ]
}

/// What is needed of a lease.
pub(crate) struct LeaseRow {
    pub(crate) seats: u32,
    pub(crate) granted_ms: i64,
    pub(crate) ended_ms: i64,
    /// No session held it: it is one itself.
    pub(crate) is_session: bool,
}

/// Whether a lease was a use: not if nobody came for its seat.
pub(crate) fn is_use(it: &EndedLease) -> bool {
    !it.kept && it.cause != UNCLAIMED
}

/// A lease that was a use.
pub(crate) fn of_lease(it: LeaseRow) -> Adds {
    let span = Span {
        from_ms: it.granted_ms,
        until_ms: it.ended_ms.max(it.granted_ms),
        seats: it.seats,
    };
    let session = it.is_session.then_some(Span { seats: 1, ..span });
    [
        Some((Line::Wanted, span)),
        session.map(|span| (Line::Running, span)),
        None,
    ]
}

/// What a row of the archive adds.
pub(crate) fn of_archived(it: &ArchivedUse) -> Adds {
    match it.is_lease {
        true => of_lease(LeaseRow {
            seats: it.seats,
            granted_ms: it.from_ms,
            ended_ms: it.until_ms,
            is_session: it.is_session,
        }),
        false => of_session(SessionRow {
            started_ms: it.from_ms,
            ended_ms: it.until_ms,
            unseated_ms: it.unseated_ms,
            has_lease: it.has_lease,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(unseated_ms: i64, has_lease: bool) -> Vec<(Line, i64, i64)> {
        let adds = of_session(SessionRow {
            started_ms: 10,
            ended_ms: 30,
            unseated_ms,
            has_lease,
        });
        let adds = adds.into_iter().flatten();
        adds.map(|(line, span)| (line, span.from_ms, span.until_ms))
            .collect()
    }

    #[test]
    fn a_session_is_unseated_until_it_has_its_lease() {
        let run = (Line::Running, 10, 30);
        assert_eq!(session(0, true), [run]);
        let until = |ms| [run, (Line::Unseated, 10, ms), (Line::Wanted, 10, ms)];
        assert_eq!(session(5, true), until(15));
        assert_eq!(session(500, true), until(30));
        assert_eq!(session(20, false), until(30));
    }

    #[test]
    fn a_lease_that_ended_before_it_began_by_the_clock_has_no_length() {
        let [Some((line, span)), ..] = of_lease(LeaseRow {
            seats: 2,
            granted_ms: 10,
            ended_ms: 5,
            is_session: false,
        }) else {
            panic!("it was a use");
        };
        assert_eq!((line, span.from_ms, span.until_ms), (Line::Wanted, 10, 10));
    }
}
