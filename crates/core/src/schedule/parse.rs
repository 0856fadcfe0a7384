//! Schedules as people write them.

use jiff::civil::Time;

use super::{Rhythm, Schedule};

/// The days as they are written, Monday first.
pub(super) const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Every day of the week.
pub(super) const ALL_DAYS: u8 = 0b111_1111;

/// The units of an interval and their seconds, the largest first.
pub(super) const UNITS: [(&str, u32); 3] = [("hours", 3_600), ("minutes", 60), ("seconds", 1)];
/// The shortest and the longest interval, in seconds: more often only costs, less often is as good
/// as never.
const SPAN_SECONDS: std::ops::RangeInclusive<u32> = 3_600..=366 * 86_400;
const COUNT_OF_DAYS: std::ops::RangeInclusive<u16> = 1..=366;

/// Why a text is not a schedule. Each says what was given and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The text does not have two parts, the days and the time.
    #[error(
        "`{0}` is not a schedule: write the days and a time, as in `Sun 01:59:59`, \
         `Mon,Thu 03:00` or `daily 03:00`, or how often, as in `every 14 days 03:00` or \
         `every 36 hours`"
    )]
    Form(String),
    /// The text names a day that does not exist.
    #[error(
        "`{0}` is not a day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun, with commas, or `daily`"
    )]
    Day(String),
    /// The interval is not a number with a unit, or is out of range.
    #[error(
        "`{0}` is not an interval: write 1 to 366 days and a time, as in `every 14 days 03:00`, or \
         hours, minutes or seconds that make an hour at least, as in `every 36 hours`"
    )]
    Interval(String),
    /// The time of day is not valid.
    #[error("`{0}` is not a time of day: write hours and minutes, as in 03:00, or 01:59:59")]
    Time(String),
}

impl Schedule {
    /// Reads a schedule. Days and units may be written in any case, and days in any order.
    pub fn parse(text: &str) -> Result<Schedule, ScheduleError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [every, ref how_often @ ..] if every.eq_ignore_ascii_case("every") => {
                parse_every(text, how_often)
            }
            [days, time] => {
                let (days, time) = (parse_days(days)?, parse_time(time)?);
                Ok(Rhythm::Weekdays { days, time }.into())
            }
            _ => Err(ScheduleError::Form(text.to_owned())),
        }
    }
}

impl std::str::FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Schedule, ScheduleError> {
        Schedule::parse(text)
    }
}

fn parse_every(text: &str, words: &[&str]) -> Result<Schedule, ScheduleError> {
    let wrong = || ScheduleError::Interval(text.trim().to_owned());
    let (count, unit) = match words {
        [count, unit, ..] => (count.parse::<u32>().map_err(|_| wrong())?, *unit),
        _ => return Err(wrong()),
    };
    let is = |name: &str| {
        unit.eq_ignore_ascii_case(name) || unit.eq_ignore_ascii_case(name.trim_end_matches('s'))
    };
    if is("days") {
        let [_, _, time] = words else {
            return Err(wrong());
        };
        let count = u16::try_from(count).ok();
        let count = count.filter(|count| COUNT_OF_DAYS.contains(count));
        let (count, time) = (count.ok_or_else(wrong)?, parse_time(time)?);
        return Ok(match count {
            1 => Schedule::daily(time),
            count => Rhythm::Days { count, time }.into(),
        });
    }
    let unit = UNITS.iter().find(|(name, _)| is(name));
    let seconds = unit.and_then(|(_, seconds)| count.checked_mul(*seconds));
    match seconds.filter(|seconds| SPAN_SECONDS.contains(seconds)) {
        Some(seconds) if words.len() == 2 => Ok(Rhythm::Span { seconds }.into()),
        _ => Err(wrong()),
    }
}

fn parse_days(text: &str) -> Result<u8, ScheduleError> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok(ALL_DAYS);
    }
    let mut days = 0;
    for word in text.split(',') {
        let place = DAYS.iter().position(|day| day.eq_ignore_ascii_case(word));
        days |= 1 << place.ok_or_else(|| ScheduleError::Day(word.to_owned()))?;
    }
    Ok(days)
}

fn parse_time(text: &str) -> Result<Time, ScheduleError> {
    let wrong = || ScheduleError::Time(text.to_owned());
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(wrong());
    }
    let mut numbers = [0_i8; 3];
    for (number, part) in numbers.iter_mut().zip(&parts) {
        let digits = matches!(part.len(), 1..=2) && part.bytes().all(|b| b.is_ascii_digit());
        *number = match digits {
            true => part.parse().map_err(|_| wrong())?,
            false => return Err(wrong()),
        };
    }
    let [hour, minute, second] = numbers;
    Time::new(hour, minute, second, 0).map_err(|_| wrong())
}
