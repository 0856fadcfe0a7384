//! The virtual clock: a steady time that nobody sets, and a wall clock that people step.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use usher_core::ledger::{Now, Steady, Wall};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const WEEK: u64 = 7 * DAY;

/// An instant on both clocks, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds since the beginning of the run.
    pub(crate) steady: u64,
    /// Unix milliseconds, as the wall clock shows them.
    pub(crate) wall: i64,
}

impl Moment {
    /// The instant as the ledger takes it.
    pub(crate) fn now(self) -> Now {
        Now {
            steady: Steady(self.steady),
            wall: Wall(self.wall),
        }
    }

    /// For the machines that count durations.
    pub(crate) fn span(self) -> Duration {
        Duration::from_millis(self.steady)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Clock {
    start_wall: i64,
    stepped: i64,
    zone: TimeZone,
}

impl Clock {
    /// A wall clock that begins right.
    pub(crate) fn new(start_wall: i64, zone: TimeZone) -> Clock {
        Clock {
            start_wall,
            stepped: 0,
            zone,
        }
    }

    pub(crate) fn at(&self, steady: u64) -> Moment {
        let passed = i64::try_from(steady).unwrap_or(i64::MAX);
        Moment {
            steady,
            wall: self
                .start_wall
                .saturating_add(passed)
                .saturating_add(self.stepped),
        }
    }

    /// When the wall clock will show this, as it is set now; the beginning, if that is past.
    pub(crate) fn steady_of(&self, wall: i64) -> u64 {
        let passed = wall.saturating_sub(self.start_wall + self.stepped);
        u64::try_from(passed).unwrap_or(0)
    }

    /// Somebody sets the wall clock.
    pub(crate) fn step(&mut self, by: i64) {
        self.stepped = self.stepped.saturating_add(by);
    }

    /// The hour of the day that people there see, 0 to 23.
    pub(crate) fn local_hour(&self, moment: Moment) -> i8 {
        self.zone.to_datetime(timestamp(moment.wall)).hour()
    }

    /// As people there see it: `Sun 08 Mar 2026 01:59:59 EST`.
    pub(crate) fn local(&self, moment: Moment) -> String {
        timestamp(moment.wall)
            .to_zoned_datetime(self.zone.clone())
            .strftime("%a %d %b %Y %H:%M:%S %Z")
            .to_string()
    }
}

/// A timestamp of milliseconds since 1970; outside of what a calendar holds, 1970.
pub(crate) fn timestamp(wall: i64) -> Timestamp {
    Timestamp::from_duration(SignedDuration::from_millis(wall)).unwrap_or(Timestamp::UNIX_EPOCH)
}
