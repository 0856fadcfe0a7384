//! Schedules as people write them.

use jiff::civil::Time;

use super::Schedule;

/// The days as they are written, Monday first.
pub(super) const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Every day of the week.
pub(super) const ALL_DAYS: u8 = 0b111_1111;

/// Why a text is no schedule. Each says what was given and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// There are not two parts, the days and the time.
    #[error(
        "`{0}` is no schedule: write the days and a time, as in `Sun 01:59:59`, \
         `Mon,Thu 03:00` or `daily 03:00`"
    )]
    Form(String),
    /// A day that is none.
    #[error("`{0}` is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun, with commas, or `daily`")]
    Day(String),
    /// A time that is none.
    #[error("`{0}` is no time of day: write hours and minutes, as in 03:00, or 01:59:59")]
    Time(String),
}

impl Schedule {
    /// Reads a schedule. Days may be written in any case and order.
    pub fn parse(text: &str) -> Result<Schedule, ScheduleError> {
        let mut words = text.split_whitespace();
        let (Some(days), Some(time), None) = (words.next(), words.next(), words.next()) else {
            return Err(ScheduleError::Form(text.to_owned()));
        };
        Ok(Schedule {
            days: parse_days(days)?,
            time: parse_time(time)?,
        })
    }
}

impl std::str::FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Schedule, ScheduleError> {
        Schedule::parse(text)
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
