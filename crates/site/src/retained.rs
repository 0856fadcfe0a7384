//! How long what is collected is kept. Times are Unix milliseconds, wall clock.

use usher_core::usage::RETRY_MS;

use crate::collected::Ended;

/// Kinds of rows that are kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retained {
    /// Sessions and leases.
    Sessions,
    /// Refusals.
    Denials,
    /// Waits for seats.
    Waits,
}

impl Retained {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Retained; 3] = [Retained::Sessions, Retained::Denials, Retained::Waits];

    /// As the tables have it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Retained::Sessions => 0,
            Retained::Denials => 1,
            Retained::Waits => 2,
        }
    }

    /// Rows go that were over before this instant, so that what is asked about from `since_ms` on is
    /// answered in full.
    pub(crate) fn removed_before(self, since_ms: i64) -> i64 {
        match self {
            // By those before it one may be a retry; one that is repeated lasts for a minute.
            Retained::Denials => since_ms.saturating_sub(2 * RETRY_MS),
            Retained::Sessions | Retained::Waits => since_ms,
        }
    }

    /// Of what is collected: its kind.
    fn of(what: &Ended) -> Retained {
        match what {
            Ended::Session(_) | Ended::Lease(_) => Retained::Sessions,
            Ended::Denial(_) => Retained::Denials,
            Ended::Wait(_) => Retained::Waits,
        }
    }
}

/// From which instant on what rows say of each kind is all there; none: none were removed. Of a kind
/// for which there is an instant, nothing that was over before its rows is taken in any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetainedSince {
    /// Sessions and leases, by when they ended.
    pub sessions_ms: Option<i64>,
    /// Refusals, by when they were first.
    pub denials_ms: Option<i64>,
    /// Waits, by when they began.
    pub waits_ms: Option<i64>,
    /// From which instant on sessions and leases that were removed are in the archive; none: they are
    /// not.
    pub archived_ms: Option<i64>,
}

impl RetainedSince {
    /// That of a kind.
    pub fn of(&self, what: Retained) -> Option<i64> {
        match what {
            Retained::Sessions => self.sessions_ms,
            Retained::Denials => self.denials_ms,
            Retained::Waits => self.waits_ms,
        }
    }

    /// From which instant on rows say all of a kind, those in the archive included; none: of all time.
    pub fn told(&self, what: Retained) -> Option<i64> {
        match (what, self.archived_ms) {
            (Retained::Sessions, Some(i64::MIN)) => None,
            (Retained::Sessions, Some(archived_ms)) => Some(archived_ms),
            _ => self.of(what),
        }
    }

    /// Takes what a table has: the number of a kind, its instant and that of its archive.
    pub(crate) fn know(&mut self, number: i64, since_ms: i64, archived_ms: Option<i64>) {
        let what = Retained::ALL.into_iter().find(|it| it.number() == number);
        let known = match what {
            Some(Retained::Sessions) => {
                self.archived_ms = archived_ms;
                &mut self.sessions_ms
            }
            Some(Retained::Denials) => &mut self.denials_ms,
            Some(Retained::Waits) => &mut self.waits_ms,
            None => return,
        };
        *known = Some(since_ms);
    }

    /// Whether something was over before those rows that are there.
    pub(crate) fn is_before(&self, what: &Ended) -> bool {
        let over_ms = match what {
            // By a clock that was set one may have ended before it began.
            Ended::Session(it) => it.ended_ms.max(it.started_ms),
            Ended::Lease(it) => it.ended_ms.max(it.granted_ms),
            Ended::Denial(it) => it.first_ms,
            Ended::Wait(it) => it.queued_ms,
        };
        let kind = Retained::of(what);
        let since_ms = self.of(kind);
        since_ms.is_some_and(|since_ms| over_ms < kind.removed_before(since_ms))
    }
}

/// Rows whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// Of which kind.
    pub what: Retained,
    /// Those that were over before this instant.
    pub before_ms: i64,
    /// At most so many rows are removed at once.
    pub limit: u32,
}

/// When the rows of a kind began that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first of them.
    pub first_ms: i64,
    /// The last of them.
    pub last_ms: i64,
}
