//! Dates and times as RLM writes them: `mm/dd`, `mm/dd/yyyy`, `hh:mm`, `hh:mm:ss` and
//! `hh:mm:ss.tenths_of_msec`, and spans such as `5d 14:26:14`.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

use crate::dates::{digits, month_of};
pub(super) use crate::dates::{instant_of as instant, month_and_day as date};

/// A day in seconds.
const DAY_SECONDS: i64 = 86_400;

/// A time of the day.
pub(super) fn clock(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let hour = digits(parts.next()?)?;
    let minute = digits(parts.next()?)?;
    let second = match parts.next() {
        Some(second) => digits(second)?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, nanoseconds(fraction)?).ok()
}

/// The digits behind a point, as nanoseconds.
fn nanoseconds(fraction: &str) -> Option<i32> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// A time with its year.
pub(super) fn with_year(day: &str, time: &str) -> Option<DateTime> {
    let (month, day, year) = date(day)?;
    let date = Date::new(year?, month, day).ok()?;
    Some(date.to_datetime(clock(time)?))
}

/// A time without a year, in the year that brings it nearest to a time that is known.
pub(super) fn nearest(month: i8, day: i8, time: Time, known: DateTime) -> Option<DateTime> {
    (-1..=1)
        .filter_map(|years: i16| known.year().checked_add(years))
        .filter_map(|year| Date::new(year, month, day).ok())
        .map(|date| date.to_datetime(time))
        .min_by_key(|civil| civil.duration_since(known).abs())
}

/// A time without a date, on the day that brings it nearest to a time that is known.
pub(super) fn nearest_day(time: Time, known: DateTime) -> Option<DateTime> {
    let same = known.date().to_datetime(time);
    [-1, 0, 1]
        .into_iter()
        .filter_map(|days| {
            same.checked_add(SignedDuration::from_secs(days * DAY_SECONDS))
                .ok()
        })
        .min_by_key(|civil| civil.duration_since(known).abs())
}

/// A span such as `00:23:38` or `15d 11:08:18`, in seconds.
pub(super) fn span_seconds(text: &str) -> Option<i64> {
    let (days, clock) = match text.trim().split_once("d ") {
        Some((days, clock)) => (days.trim().parse().ok()?, clock),
        None => (0, text),
    };
    let mut seconds: i64 = 0;
    for part in clock.trim().split(':') {
        let part: u32 = part.parse().ok()?;
        seconds = seconds.checked_mul(60)?.checked_add(i64::from(part))?;
    }
    DAY_SECONDS.checked_mul(days)?.checked_add(seconds)
}

/// `Mon Mar 25 12:29:40 2024`.
pub(super) fn long(text: &str) -> Option<DateTime> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, month, day, time, year] = words[..] else {
        return None;
    };
    let month = month_of(month)?;
    let date = Date::new(year.parse().ok()?, month, digits(day)?).ok()?;
    Some(date.to_datetime(clock(time)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_with_and_without_days() {
        assert_eq!(span_seconds("00:23:38"), Some(1_418));
        assert_eq!(span_seconds("5d 14:26:14"), Some(5 * 86_400 + 51_974));
        assert_eq!(span_seconds("a while"), None);
        assert_eq!(span_seconds("9223372036854775807d 00:00:00"), None);
    }

    #[test]
    fn a_time_without_a_year_is_the_one_nearest_to_what_is_known() {
        let known = jiff::civil::date(2025, 12, 31).at(23, 59, 0, 0);
        let time = clock("00:05:00.1234").unwrap();
        let read = nearest(1, 1, time, known).unwrap();
        assert_eq!(read.to_string(), "2026-01-01T00:05:00.1234");
        assert_eq!(nearest_day(time, known), Some(read));
        assert_eq!(nearest(2, 30, time, known), None);
    }
}
