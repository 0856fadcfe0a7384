//! Dates and times as logs write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

/// A date such as `Wed Jul 17 2019 10:55:13 Central Daylight Time`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongDate<'t> {
    /// The day.
    pub date: Date,
    /// The time of day.
    pub time: Time,
    /// What follows: the zone, if any is told.
    pub zone: &'t str,
}

/// Reads a date with its month as a word and its year; the weekday before it may be missing.
pub fn long_date(text: &str) -> Option<LongDate<'_>> {
    let (mut word, mut rest) = first_word(text)?;
    if month_of(word).is_none() {
        (word, rest) = first_word(rest)?;
    }
    let month = month_of(word)?;
    let (day, rest) = first_word(rest)?;
    let (year, rest) = first_word(rest)?;
    let (time, rest) = first_word(rest)?;
    Some(LongDate {
        date: Date::new(
            year.parse().ok()?,
            month,
            day.trim_end_matches(',').parse().ok()?,
        )
        .ok()?,
        time: time_of_day(time)?,
        zone: rest
            .trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .trim(),
    })
}

fn first_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if text.is_empty() {
        return None;
    }
    Some(text.split_once(char::is_whitespace).unwrap_or((text, "")))
}

/// The month that a word names in English, by its first three letters.
pub fn month_of(word: &str) -> Option<i8> {
    let start: String = word
        .chars()
        .take(3)
        .collect::<String>()
        .to_ascii_lowercase();
    let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let place = months.iter().position(|month| *month == start)?;
    i8::try_from(place + 1).ok()
}

/// A date such as `7/17/2019`: month, day, year; day and month change places if only so it is a date.
/// A year of two digits is of this century.
pub fn slash_date(text: &str) -> Option<Date> {
    let mut parts = text.trim().split('/');
    let first: i8 = parts.next()?.parse().ok()?;
    let second: i8 = parts.next()?.parse().ok()?;
    let year: i16 = parts.next()?.parse().ok()?;
    if parts.next().is_some() {
        return None;
    }
    let year = if (0..100).contains(&year) {
        2000 + year
    } else {
        year
    };
    Date::new(year, first, second)
        .or_else(|_| Date::new(year, second, first))
        .ok()
}

/// The weekday that a word names in English, by its first three letters; none: another language's.
pub fn weekday_of(word: &str) -> Option<Weekday> {
    let start: String = word
        .chars()
        .take(3)
        .collect::<String>()
        .to_ascii_lowercase();
    let all = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let found = all.iter().find(|(name, _)| *name == start)?;
    Some(found.1)
}

/// Month and day of `M/D` or `M/D/YYYY`, and the year if it is told.
pub fn month_and_day(text: &str) -> Option<(i8, i8, Option<i16>)> {
    let mut parts = text.split('/');
    let month = digits(parts.next()?)?;
    let day = digits(parts.next()?)?;
    let year = match parts.next() {
        Some(year) if year.len() == 4 => Some(year.parse().ok()?),
        Some(_) => return None,
        None => None,
    };
    parts.next().is_none().then_some((month, day, year))
}

/// The instant at which a clock in that zone shows that time; in a gap the later, in a fold the earlier.
pub fn instant_of(shown: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(shown).compatible().ok()
}

/// A time of day such as `9:05:07` or `09:05`, also with a fraction of a second, which is dropped.
pub fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let hour = digits(parts.next()?)?;
    let minute = digits(parts.next()?)?;
    let second = match parts.next() {
        Some(second) => digits(second.split(['.', ',']).next()?)?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    // A leap second is the second before it.
    Time::new(hour, minute, second.min(59), 0).ok()
}

/// One or two digits.
pub fn digits(text: &str) -> Option<i8> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_long_date_is_read_with_and_without_its_weekday_and_with_its_zone() {
        let read =
            long_date("Thu Sep 06 2018 10:34:03 Central Europe Daylight Time").expect("a date");
        assert_eq!(
            (read.date, read.time),
            (date(2018, 9, 6), time(10, 34, 3, 0))
        );
        assert_eq!(read.zone, "Central Europe Daylight Time");
        let read = long_date("Jul 17 2019 9:55:13 (-05)").expect("a date");
        assert_eq!((read.date, read.zone), (date(2019, 7, 17), "-05"));
        assert_eq!(long_date("Thu Sep 31 2018 10:34:03"), None);
        assert_eq!(long_date(""), None);
    }

    #[test]
    fn a_date_with_slashes_has_its_month_first_unless_it_cannot() {
        assert_eq!(slash_date("4/8/2019"), Some(date(2019, 4, 8)));
        assert_eq!(slash_date("28/4/2023"), Some(date(2023, 4, 28)));
        assert_eq!(slash_date("4/28/23"), Some(date(2023, 4, 28)));
        assert_eq!(slash_date("4/28"), None);
        assert_eq!(slash_date("4/28/2023/1"), None);
    }

    #[test]
    fn a_day_without_a_year_and_a_weekday_are_read() {
        assert_eq!(month_and_day("11/30"), Some((11, 30, None)));
        assert_eq!(month_and_day("1/2/2026"), Some((1, 2, Some(2026))));
        assert_eq!(month_and_day("1/2/26"), None);
        assert_eq!(month_and_day("1/2/2026/3"), None);
        assert_eq!(weekday_of("Tuesday,"), Some(Weekday::Tuesday));
        assert_eq!(weekday_of("Mo."), None);
    }

    #[test]
    fn a_time_of_day_needs_no_leading_zero() {
        assert_eq!(time_of_day("9:05:07"), Some(time(9, 5, 7, 0)));
        assert_eq!(time_of_day("23:59:60"), Some(time(23, 59, 59, 0)));
        assert_eq!(time_of_day("09:05"), Some(time(9, 5, 0, 0)));
        assert_eq!(time_of_day("24:00:00"), None);
        assert_eq!(time_of_day("-1:00:00"), None);
        assert_eq!(time_of_day("10055:13:00"), None);
    }
}
