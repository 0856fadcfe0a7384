//! Times and durations, as people write and read them.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};

/// A time in this computer's time zone.
pub(crate) fn local(time: Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A time, or a dash.
pub(crate) fn local_or_dash(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), local)
}

/// How long something lasts, in its two largest units.
pub(crate) fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let Some(first) = units.iter().position(|(size, _)| seconds >= *size) else {
        return "0 s".to_owned();
    };
    let (size, unit) = units[first];
    let mut text = format!("{} {unit}", seconds / size);
    if let Some((small, small_unit)) = units.get(first + 1) {
        let rest = seconds % size / small;
        if rest > 0 {
            text.push_str(&format!(" {rest} {small_unit}"));
        }
    }
    text
}

/// Reads a duration: `90`, `90s`, `5m`, `1h30m`, `7d`, `2w`. A number alone is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration; write it like 90, 30s, 5m, 1h30m or 7d");
    let text = text.trim();
    if text.is_empty() {
        return Err(wrong());
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = rest[digits..].trim_start();
        let letters = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .len();
        let size = match &rest[..letters] {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return Err(wrong()),
        };
        rest = rest[letters..].trim_start();
        total = number
            .checked_mul(size)
            .and_then(|n| total.checked_add(n))
            .ok_or_else(wrong)?;
    }
    Ok(Duration::from_secs(total))
}

/// Reads an instant: an RFC 3339 time, a day or what people call one (its first second here), or
/// how long ago (`7d`, `2 hours ago`).
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    match period(text, ZonedDateTime::now())? {
        Some((begin, _)) => Ok(begin),
        None => ago(text),
    }
}

/// Reads the end of a time that is looked at: the same, and of a day its last second.
pub(crate) fn up_to(text: &str) -> Result<Timestamp, String> {
    match period(text, ZonedDateTime::now())? {
        Some((_, end)) => Ok(end),
        None => ago(text),
    }
}

/// Reads the end of something: an RFC 3339 time, a day (its last second here), or how long from now.
/// The last day that there is, by which people mean that it has no end, is the last instant.
pub(crate) fn until(text: &str) -> Result<Timestamp, String> {
    if let Some((_, end)) = period(text, ZonedDateTime::now())? {
        return Ok(end);
    }
    let Ok(ahead) = duration(text) else {
        return Err(format!(
            "{text:?} is not a time; write it like 2026-12-31, 2026-12-31T18:00:00Z, or how long from now: 90d"
        ));
    };
    let beyond = |_| format!("{text:?} from now is beyond the year 9999; leave it out for no end");
    Timestamp::now().checked_add(ahead).map_err(beyond)
}

fn ago(text: &str) -> Result<Timestamp, String> {
    let Ok(ago) = duration(text.trim().trim_end_matches(" ago")) else {
        return Err(format!(
            "{text:?} is not a time; write it like 2026-01-31, 2026-01-31T08:00:00Z, yesterday, \
             \"last week\", or how long ago: 7d, 12h"
        ));
    };
    let beyond = |_| format!("{text:?} ago is before all times that there are");
    Timestamp::now().checked_sub(ago).map_err(beyond)
}

/// From when to when something lasts that is written as an instant, as a day, or as people call
/// days: `yesterday`, `this week` (from Monday on), `last month`. None: it is nothing of these.
fn period(text: &str, now: ZonedDateTime) -> Result<Option<(Timestamp, Timestamp)>, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some((time, time)));
    }
    let today = now.date();
    let monday = |weeks: i64| {
        let days = i64::from(today.weekday().to_monday_zero_offset());
        today.checked_sub((days + 7 * weeks).days())
    };
    let first = |months: i64| today.first_of_month().checked_sub(months.months());
    let new_year = |years: i64| today.first_of_year().checked_sub(years.years());
    let words = text.trim().to_lowercase();
    let begin_and_end = match &*words {
        "now" => return Ok(Some((now.timestamp(), now.timestamp()))),
        "today" => (Ok(today), today.tomorrow()),
        "yesterday" => (today.yesterday(), Ok(today)),
        "this week" => (monday(0), monday(-1)),
        "last week" => (monday(1), monday(0)),
        "this month" => (first(0), first(-1)),
        "last month" => (first(1), first(0)),
        "this year" => (new_year(0), new_year(-1)),
        "last year" => (new_year(1), new_year(0)),
        _ => match text.parse::<Date>() {
            Ok(day) => (Ok(day), day.tomorrow()),
            // A time of the last two days of the calendar, not all of which are instants.
            Err(_) if text.starts_with("9999-12-3") => {
                return Ok(Some((Timestamp::MAX, Timestamp::MAX)));
            }
            Err(_) => return Ok(None),
        },
    };
    // What is beyond the calendar is its end.
    let instant = |day: Result<Date, jiff::Error>| {
        day.and_then(|day| day.to_zoned_datetime(now.time_zone().clone()))
            .map_or(Timestamp::MAX, |start| start.timestamp())
    };
    Ok(Some((instant(begin_and_end.0), instant(begin_and_end.1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_form_that_the_help_names() {
        for (text, seconds) in [
            ("90", 90),
            ("30s", 30),
            ("5m", 300),
            ("1h30m", 5_400),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("1h 30m", 5_400),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "5x",
            "-1",
            "1.5h",
            "99999999999999999999",
            "99999999999999999w",
            "5m!",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_said_in_two_units() {
        let said: Vec<String> = [0, 59, 61, 3_600, 5_400, 90_061].map(span).to_vec();
        assert_eq!(
            said,
            ["0 s", "59 s", "1 min 1 s", "1 h", "1 h 30 min", "1 d 1 h"]
        );
    }

    /// However long it takes to read it.
    fn assert_is_ago(text: &str, seconds: i64) {
        let before = Timestamp::now().as_second();
        let read = since(text).unwrap().as_second() + seconds;
        let after = Timestamp::now().as_second();
        assert!((before..=after).contains(&read), "{text}: {read}");
    }

    #[test]
    fn an_instant_is_read_as_a_time_a_day_or_how_long_ago() {
        assert_eq!(
            since("2026-01-31T08:00:00Z").unwrap().to_string(),
            "2026-01-31T08:00:00Z"
        );
        assert_is_ago("1h", 3_600);
        let day =
            until("2026-01-31").unwrap().as_second() - since("2026-01-31").unwrap().as_second();
        assert_eq!(day, 86_400);
        assert!(since("the day before").is_err());
        assert!(since("99999999w").is_err_and(|why| why.contains("before all times")));
        assert_eq!(until("9999-12-31"), Ok(Timestamp::MAX));
        assert_eq!(until("9999-12-31T23:59:59Z"), Ok(Timestamp::MAX));
    }

    #[test]
    fn days_and_weeks_are_read_as_people_say_them() {
        // A Wednesday.
        let now: ZonedDateTime = "2026-11-25T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
        let read = |text: &str| {
            let (begin, end) = period(text, now.clone()).unwrap().unwrap();
            let day = |at: Timestamp| {
                at.to_zoned_datetime(now.time_zone().clone())
                    .date()
                    .to_string()
            };
            (day(begin), day(end))
        };
        for (text, begin, end) in [
            ("today", "2026-11-25", "2026-11-26"),
            ("Yesterday", "2026-11-24", "2026-11-25"),
            ("this week", "2026-11-23", "2026-11-30"),
            ("last week", "2026-11-16", "2026-11-23"),
            ("this month", "2026-11-01", "2026-12-01"),
            ("last month", "2026-10-01", "2026-11-01"),
            ("last year", "2025-01-01", "2026-01-01"),
            ("2026-01-31", "2026-01-31", "2026-02-01"),
        ] {
            assert_eq!(read(text), (begin.to_owned(), end.to_owned()), "{text}");
        }
        assert_is_ago("2 hours ago", 7_200);
    }
}
