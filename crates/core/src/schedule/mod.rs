//! When upkeep runs: days of the week and a time of day on the clock of a time zone, or every so
//! often.
//!
//! A run that the calendar names happens exactly once, also if the clock is changed: a local
//! time that is skipped means the first moment after the gap, one that comes twice means the
//! first of the two. A schedule holds no instant; it is asked for the next one after another, and
//! a [`Planned`] keeps which that is.

mod parse;
mod planned;

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

pub use parse::ScheduleError;
pub use planned::Planned;

/// Days that are looked at before and after the day of an instant: a zone may have left out a day
/// of its calendar (Samoa did in 2011), so it begins early, and some day of each week is one of
/// the schedule.
const DAYS_BEFORE: i64 = 2;
const DAYS_LOOKED_AT: i64 = 12;
const DAY_SECONDS: i64 = 86_400;

/// A schedule, written as `Sun 01:59:59`, `Mon,Thu 03:00`, `daily 03:00`, `every 14 days 03:00` or
/// `every 36 hours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    rhythm: Rhythm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rhythm {
    /// On days of the week, at least one: bit 0 is Monday.
    Weekdays { days: u8, time: Time },
    /// Every so many days, at a time of day.
    Days { count: u16, time: Time },
    /// Every so many seconds, whatever the wall clock shows.
    Span { seconds: u32 },
}

impl Schedule {
    /// Each week on one day, at a time of day.
    pub fn weekly(day: Weekday, time: Time) -> Schedule {
        let days = 1 << day.to_monday_zero_offset();
        Rhythm::Weekdays { days, time }.into()
    }

    /// Each day at a time of day.
    pub fn daily(time: Time) -> Schedule {
        let days = parse::ALL_DAYS;
        Rhythm::Weekdays { days, time }.into()
    }

    /// The first run after an instant, itself not included; none if the calendar ends (the
    /// year 9999). What runs every so many days begins at its next time of day.
    pub fn next_after(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self.rhythm {
            Rhythm::Weekdays { days, time } => {
                let on = |date: &Date| days & (1 << date.weekday().to_monday_zero_offset()) != 0;
                let days = days_around(now, zone).filter(on);
                first_after(now, days, time, zone)
            }
            Rhythm::Days { time, .. } => first_after(now, days_around(now, zone), time, zone),
            Rhythm::Span { seconds } => now.checked_add(i64::from(seconds).seconds()).ok(),
        }
    }

    /// The first run after `now` of those that keep step with `run`, which may lie before or after
    /// it. Days of the week keep step by themselves.
    pub fn next_in_step(
        &self,
        run: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        match self.rhythm {
            Rhythm::Weekdays { .. } => self.next_after(now, zone),
            Rhythm::Days { count, time } => {
                let (count, first) = (i64::from(count), zone.to_datetime(run).date());
                let passed = first.until(zone.to_datetime(now).date()).ok()?;
                let begin = (i64::from(passed.get_days()) - DAYS_BEFORE).div_euclid(count);
                let days = (begin..begin + DAYS_LOOKED_AT)
                    .filter_map(|step| first.checked_add((step * count).days()).ok());
                first_after(now, days, time, zone)
            }
            Rhythm::Span { seconds } => {
                let span_ms = i64::from(seconds) * 1_000;
                let passed_ms = now.as_millisecond() - run.as_millisecond();
                let steps = passed_ms.div_euclid(span_ms) + 1;
                run.checked_add((steps * span_ms).milliseconds()).ok()
            }
        }
    }

    /// About the longest time between two runs.
    fn period(&self) -> SignedDuration {
        SignedDuration::from_secs(match self.rhythm {
            Rhythm::Weekdays { .. } => 7 * DAY_SECONDS,
            Rhythm::Days { count, .. } => i64::from(count) * DAY_SECONDS,
            Rhythm::Span { seconds } => i64::from(seconds),
        })
    }
}

impl From<Rhythm> for Schedule {
    fn from(rhythm: Rhythm) -> Schedule {
        Schedule { rhythm }
    }
}

fn days_around(now: Timestamp, zone: &TimeZone) -> impl Iterator<Item = Date> + use<> {
    let today = zone.to_datetime(now).date();
    (-DAYS_BEFORE..DAYS_LOOKED_AT).filter_map(move |days| today.checked_add(days.days()).ok())
}

fn first_after(
    now: Timestamp,
    mut days: impl Iterator<Item = Date>,
    time: Time,
    zone: &TimeZone,
) -> Option<Timestamp> {
    days.find_map(|date| run_of(date, time, zone).filter(|run| *run > now))
}

/// The instant of a day's run.
fn run_of(date: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let local = date.to_datetime(time);
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

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rhythm {
            Rhythm::Weekdays { days, time } => {
                write_days(f, days)?;
                write_time(f, time)
            }
            Rhythm::Days { count, time } => {
                write!(f, "every {count} days")?;
                write_time(f, time)
            }
            Rhythm::Span { seconds } => {
                let units = parse::UNITS.iter();
                let mut whole = units.filter(|(_, unit)| seconds.is_multiple_of(*unit));
                let (name, unit) = whole.next().unwrap_or(&("seconds", 1));
                match seconds / unit {
                    1 => write!(f, "every 1 {}", name.trim_end_matches('s')),
                    count => write!(f, "every {count} {name}"),
                }
            }
        }
    }
}

fn write_days(f: &mut fmt::Formatter<'_>, days: u8) -> fmt::Result {
    if days == parse::ALL_DAYS {
        return f.write_str("daily");
    }
    let on = parse::DAYS.iter().enumerate();
    let on = on.filter(|(place, _)| days & (1 << place) != 0);
    for (count, (_, name)) in on.enumerate() {
        let comma = if count > 0 { "," } else { "" };
        write!(f, "{comma}{name}")?;
    }
    Ok(())
}

fn write_time(f: &mut fmt::Formatter<'_>, time: Time) -> fmt::Result {
    write!(f, " {:02}:{:02}", time.hour(), time.minute())?;
    match time.second() {
        0 => Ok(()),
        second => write!(f, ":{second:02}"),
    }
}
