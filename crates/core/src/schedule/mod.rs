//! When upkeep runs: days of the week and a time of day, on the clock of a time zone.
//!
//! A run that the calendar names happens exactly once, also where the clock is changed: a local
//! time that is skipped means the first moment after the gap, one that comes twice means the
//! first of the two. A schedule holds no instant; it is asked for the next one after another.

mod parse;

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

pub use parse::ScheduleError;

/// Days that [`Schedule::next_after`] looks at: a zone may have left out a day of its calendar
/// (Samoa did in 2011), so it begins early, and some day of each week is one of the schedule.
const DAYS_BEFORE: i64 = 2;
const DAYS_LOOKED_AT: i64 = 12;

/// On which days of the week and when. Written `Sun 01:59:59`, `Mon,Thu 03:00` or `daily 03:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Bit 0 is Monday; at least one is set.
    days: u8,
    time: Time,
}

impl Schedule {
    /// Each week on one day, at a time of day.
    pub fn weekly(day: Weekday, time: Time) -> Schedule {
        let days = 1 << day.to_monday_zero_offset();
        Schedule { days, time }
    }

    /// Each day at a time of day.
    pub fn daily(time: Time) -> Schedule {
        Schedule {
            days: parse::ALL_DAYS,
            time,
        }
    }

    /// The first run after an instant, itself not included; none where the calendar ends (the
    /// year 9999).
    pub fn next_after(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = zone.to_datetime(now).date();
        (-DAYS_BEFORE..DAYS_LOOKED_AT)
            .filter_map(|days| today.checked_add(days.days()).ok())
            .filter(|date| self.is_on(date.weekday()))
            .filter_map(|date| self.run_of(date, zone))
            .find(|run| *run > now)
    }

    fn is_on(&self, day: Weekday) -> bool {
        self.days & (1 << day.to_monday_zero_offset()) != 0
    }

    /// The one instant at which the run of a day happens.
    fn run_of(&self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        let local = date.to_datetime(self.time);
        match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                // Read with the offset of after the gap, a time in it lies before the change.
                let before_change = after.to_timestamp(local).ok()?;
                let change = zone.following(before_change).next()?;
                Some(change.timestamp())
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days == parse::ALL_DAYS {
            f.write_str("daily")?;
        } else {
            let on = parse::DAYS.iter().enumerate();
            let on = on.filter(|(place, _)| self.days & (1 << place) != 0);
            for (count, (_, name)) in on.enumerate() {
                let comma = if count > 0 { "," } else { "" };
                write!(f, "{comma}{name}")?;
            }
        }
        let (hour, minute, second) = (self.time.hour(), self.time.minute(), self.time.second());
        write!(f, " {hour:02}:{minute:02}")?;
        match second {
            0 => Ok(()),
            second => write!(f, ":{second:02}"),
        }
    }
}
