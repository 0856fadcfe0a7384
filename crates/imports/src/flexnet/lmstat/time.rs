//! Instants in a report: its own, and starts that say a weekday but no year.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub(super) use crate::dates::instant_of as instant;
use crate::dates::{month_and_day, time_of_day, weekday_of};

/// Years that a start without a year may lie before the report. The weekday of a date returns after five
/// or six years, so within four it names one year.
const YEARS_BACK: i16 = 4;
/// A start may lie so far after the report: the clocks and zones of server and client differ.
const AHEAD: SignedDuration = SignedDuration::from_secs(86_400);

/// The time of `Flexible License Manager status on Fri 10/20/2017 17:02`: the first date with a year that
/// a time follows.
pub(super) fn of_report(text: &str) -> Option<DateTime> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).find_map(|pair| match pair {
        [date, clock] => {
            let (month, day, year) = month_and_day(date)?;
            let date = Date::new(year?, month, day).ok()?;
            Some(date.to_datetime(time_of_day(clock)?))
        }
        _ => None,
    })
}

/// A start such as `Mon 11/30 9:05` in a report of that time: the latest such time that is not more than
/// a day after the report and falls on that weekday. None: there is no such time in the years before, or
/// it is no time.
pub(super) fn start(words: &[&str], report: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let (weekday, date, clock) = match words {
        [day, date, clock] => (weekday_of(day), date, clock),
        [date, clock] => (None, date, clock),
        _ => return None,
    };
    let (month, day, year) = month_and_day(date)?;
    let time = time_of_day(clock)?;
    let in_year = |year| Some(Date::new(year, month, day).ok()?.to_datetime(time));
    if let Some(year) = year {
        return instant(in_year(year)?, zone);
    }
    let latest = report.checked_add(AHEAD).ok()?;
    let next_year = report.year().checked_add(1)?;
    let civil = (0..=YEARS_BACK + 1)
        .filter_map(|back| in_year(next_year.checked_sub(back)?))
        .find(|civil| *civil <= latest && weekday.is_none_or(|day| civil.weekday() == day))?;
    instant(civil, zone)
}
