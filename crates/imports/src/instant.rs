//! Dates and times as other licence servers write them, without a zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::dates::{month_of, weekday_of};

/// The newest year that a time without one may be of is that of the file; a weekday may point to one that
/// many years before.
const YEARS_BACK: i16 = 8;
/// Clocks of a server and of who asks it may differ by that much.
const AHEAD_SECONDS: i64 = 86_400;

/// Year, month, day and time of day, in that order and with any of the usual marks between: `2022-02-18
/// 09:26`, `2025/05/20 15:06:36:933`, `2026-06-12T08:01:02`.
pub(crate) fn year_first(text: &str) -> Option<DateTime> {
    let text = text.trim().trim_end_matches('Z');
    let usual = |letter: char| letter.is_ascii_digit() || "-/ :.,T".contains(letter);
    if text.len() > 40 || !text.chars().all(usual) {
        return None;
    }
    let numbers = numbers(text)?;
    let year_has_four = text
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .len()
        == 4;
    let [year, month, day, rest @ ..] = numbers.as_slice() else {
        return None;
    };
    year_has_four.then_some(())?;
    at(*year, *month, *day, rest)
}

/// Whether the day or the month stands first in a date of three numbers whose year is last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// `11/30/2026`, as programs from the United States write it.
    #[default]
    MonthFirst,
    /// `30/11/2026`.
    DayFirst,
}

/// A date whose year stands last, and its time of day, if there is one: `12/30/2022`, `30.11.2026
/// 18:18:00`, `11/30/2026 6:18:00 PM`. With points the day stands first, with `AM` and `PM` the month.
pub(crate) fn year_last(text: &str, order: DateOrder) -> Option<DateTime> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date.trim_end_matches(','), time.trim()),
        None => (text, ""),
    };
    let (clock, afternoon) = half_of_day(time);
    let order = match () {
        () if date.contains('.') => DateOrder::DayFirst,
        () if afternoon.is_some() => DateOrder::MonthFirst,
        () => order,
    };
    let date: Vec<i32> = numbers(date)?;
    let [first, second, year] = date.as_slice() else {
        return None;
    };
    let (month, day) = match order {
        DateOrder::MonthFirst => (first, second),
        DateOrder::DayFirst => (second, first),
    };
    if *year < 1000 {
        return None;
    }
    at(*year, *month, *day, &clock_of(clock, afternoon)?)
}

/// A date with the month's English name: `Tue Nov 03 11:34:40 2020`, `Jul 11, 2013 10:00:46 AM`.
pub(crate) fn named_month(text: &str) -> Option<DateTime> {
    if text.len() > 60 {
        return None;
    }
    let mut words: Vec<&str> = text
        .split([' ', ',', '\t'])
        .filter(|word| !word.is_empty())
        .collect();
    if words.first().is_some_and(|word| weekday_of(word).is_some()) {
        words.remove(0);
    }
    let month_of = month(words.first()?)?;
    let day: i32 = words.get(1)?.parse().ok()?;
    let rest = words.get(2..)?;
    let year: i32 = rest
        .iter()
        .filter(|word| word.len() == 4)
        .find_map(|word| word.parse().ok())?;
    let clock = rest.iter().find(|word| word.contains(':')).copied();
    let afternoon = rest.iter().find_map(|word| half(word));
    at(
        year,
        month_of,
        day,
        &clock_of(clock.unwrap_or(""), afternoon)?,
    )
}

/// Any of the forms of this module; none: another one, such as a language that is not known.
pub(crate) fn any_form(text: &str) -> Option<DateTime> {
    year_first(text)
        .or_else(|| named_month(text))
        .or_else(|| year_last(text, DateOrder::MonthFirst))
}

/// A time without a year, read against the time of its file: the newest that is not after it (a day is
/// allowed for clocks that differ), and of that weekday.
pub(crate) fn without_year(
    words: &[&str],
    asked_at: Timestamp,
    time_zone: &TimeZone,
) -> Option<Timestamp> {
    let [weekday, month_name, day, clock] = words else {
        return None;
    };
    let (weekday, month) = (weekday_of(weekday)?, month(month_name)?);
    let day: i32 = day.parse().ok()?;
    let clock = clock_of(clock, None)?;
    let newest = time_zone.to_datetime(asked_at).year();
    let latest = asked_at.as_second().saturating_add(AHEAD_SECONDS);
    let mut years = (newest.saturating_sub(YEARS_BACK)..=newest.saturating_add(1)).rev();
    years.find_map(|year| {
        let written = at(i32::from(year), month, day, &clock)?;
        let instant = time_zone.to_timestamp(written).ok()?;
        (written.weekday() == weekday && instant.as_second() <= latest).then_some(instant)
    })
}

/// The month of that English name, or its first three letters.
fn month(name: &str) -> Option<i32> {
    month_of(name).map(i32::from)
}

/// `AM` is false, `PM` is true.
fn half(word: &str) -> Option<bool> {
    match word.to_ascii_uppercase().as_str() {
        "AM" | "A.M." => Some(false),
        "PM" | "P.M." => Some(true),
        _ => None,
    }
}

fn half_of_day(time: &str) -> (&str, Option<bool>) {
    match time.rsplit_once([' ', '\u{202f}', '\u{a0}']) {
        Some((clock, word)) if half(word).is_some() => (clock.trim(), half(word)),
        _ => (time, None),
    }
}

/// Hours, minutes, seconds and fractions of a clock; empty: midnight.
fn clock_of(text: &str, afternoon: Option<bool>) -> Option<Vec<i32>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let usual = |letter: char| letter.is_ascii_digit() || letter == ':' || letter == '.';
    if !text.chars().all(usual) {
        return None;
    }
    let mut clock = numbers(text)?;
    let hours = clock.first_mut()?;
    match afternoon {
        Some(_) if !(1..=12).contains(&*hours) => return None,
        Some(true) if *hours < 12 => *hours += 12,
        Some(false) if *hours == 12 => *hours = 0,
        _ => {}
    }
    Some(clock)
}

/// The numbers in a text, at most 7 of at most 9 digits; none: there are more, or longer ones.
fn numbers(text: &str) -> Option<Vec<i32>> {
    let groups = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|group| !group.is_empty());
    let mut numbers = Vec::new();
    for group in groups {
        if group.len() > 9 || numbers.len() == 7 {
            return None;
        }
        numbers.push(group.parse().ok()?);
    }
    Some(numbers)
}

/// Fractions of seconds are left out: no use is told by them.
fn at(year: i32, month: i32, day: i32, clock: &[i32]) -> Option<DateTime> {
    if clock.len() == 1 {
        return None;
    }
    let part = |place: usize| clock.get(place).copied().unwrap_or(0);
    let small = |number: i32| i8::try_from(number).ok();
    DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(part(0))?,
        small(part(1))?,
        small(part(2))?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(read: Option<DateTime>) -> String {
        read.map_or_else(|| "none".to_owned(), |time| time.to_string())
    }

    #[test]
    fn dates_are_read_in_each_form_that_is_known() {
        for (text, expected) in [
            ("2022-02-18 09:26", "2022-02-18T09:26:00"),
            ("2025/05/20 15:06:36:933", "2025-05-20T15:06:36"),
            ("2026-06-12T08:01:02", "2026-06-12T08:01:02"),
            ("2022-02-18", "2022-02-18T00:00:00"),
            ("Tue Nov 03 11:34:40 2020", "2020-11-03T11:34:40"),
            ("Jul 11, 2013 10:00:46 PM", "2013-07-11T22:00:46"),
            ("12/30/2022", "2022-12-30T00:00:00"),
            ("11/30/2026 12:18:00 AM", "2026-11-30T00:18:00"),
            ("30.11.2026 18:18:00", "2026-11-30T18:18:00"),
            ("30/11/2026 18:18:00", "none"),
            ("2020. 2. 27 오전 11:00:00", "none"),
            ("NONE", "none"),
            ("2022-13-18 09:26", "none"),
            ("", "none"),
        ] {
            assert_eq!(seen(any_form(text)), expected, "{text}");
        }
        let british = year_last("03/11/2026 18:18:00", DateOrder::DayFirst);
        assert_eq!(seen(british), "2026-11-03T18:18:00");
    }

    #[test]
    fn a_time_without_a_year_is_the_newest_of_its_weekday_before_the_file() {
        let file: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let read = |words: &[&str]| without_year(words, file, &TimeZone::UTC);
        let expected: Timestamp = "2020-03-17T16:18:00Z".parse().unwrap();
        assert_eq!(read(&["Tue", "Mar", "17", "16:18"]), Some(expected));
        let expected: Timestamp = "2025-12-31T23:00:00Z".parse().unwrap();
        assert_eq!(read(&["Wed", "Dec", "31", "23:00"]), Some(expected));
        assert_eq!(read(&["Wed", "Feb", "30", "23:00"]), None);
        assert_eq!(read(&["Wed", "Dec", "31"]), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_a_date(text in "[0-9APM/:. ,TZ\\-a-zé]{0,40}") {
            let _ = any_form(&text);
            let words: Vec<&str> = text.split(' ').collect();
            let _ = without_year(&words, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        }
    }
}
