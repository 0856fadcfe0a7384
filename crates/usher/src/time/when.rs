//! Instants and days in people's words: `yesterday`, `next monday`, `in 30 days`, `31.12.2026`.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};

use super::{duration, is_never};

/// Whether a weekday without `last` or `next` is behind or ahead of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lean {
    /// The last one, or today.
    Behind,
    /// The next one, or today.
    Ahead,
}

/// What a time that somebody wrote means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum When {
    /// An instant.
    At(Timestamp),
    /// Whole days, from the first to the last.
    Days(Date, Date),
    /// The end of the calendar, by which people mean that something has no end.
    Never,
}

impl When {
    /// Reads it; none: it is nothing of that kind. The words are those of `now`'s time zone.
    pub(super) fn read(text: &str, now: &ZonedDateTime, lean: Lean) -> Option<When> {
        let text = text.trim();
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(When::At(time));
        }
        if let Some(day) = written(text) {
            return Some(When::Days(day, day));
        }
        if let Some(first) = month(text) {
            return Some(When::Days(first, first.last_of_month()));
        }
        // A time of day without a zone is one of this computer's.
        if text.contains(':')
            && let Ok(time) = text.parse::<DateTime>()
        {
            let here = time.to_zoned_datetime(now.time_zone().clone()).ok()?;
            return Some(When::At(here.timestamp()));
        }
        if text.contains(':')
            && let Ok(time) = text.parse::<Time>()
        {
            return time_of_day(time, now, lean);
        }
        // A time of the last two days of the calendar, not all of which are instants.
        if is_never(text) {
            return Some(When::Never);
        }
        let words = text.to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let today = now.date();
        let one = |day: Result<Date, jiff::Error>| day.ok().map(|day| When::Days(day, day));
        match &words[..] {
            ["now"] => Some(When::At(now.timestamp())),
            ["today"] => Some(When::Days(today, today)),
            ["yesterday"] => one(today.yesterday()),
            ["tomorrow"] => one(today.tomorrow()),
            ["this", unit] => span_of(unit, today, 0),
            ["last", unit] => weekday(unit)
                .map(|day| one(today.nth_weekday(-1, day)))
                .unwrap_or_else(|| span_of(unit, today, -1)),
            ["next", unit] => weekday(unit)
                .map(|day| one(today.nth_weekday(1, day)))
                .unwrap_or_else(|| span_of(unit, today, 1)),
            ["in", rest @ ..] => ahead(rest, now),
            [rest @ .., "ago"] => ago(rest, now),
            [day] => {
                let day = weekday(day)?;
                match lean {
                    _ if today.weekday() == day => Some(When::Days(today, today)),
                    Lean::Behind => one(today.nth_weekday(-1, day)),
                    Lean::Ahead => one(today.nth_weekday(1, day)),
                }
            }
            _ => None,
        }
    }
}

/// A day in figures: `2026-12-31` or `31.12.2026`. With dots, the day always comes first.
pub(crate) fn written(text: &str) -> Option<Date> {
    // Of a day and a time the library would read the day.
    let is_day = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if let Some(day) = text.parse::<Date>().ok().filter(|_| is_day) {
        return Some(day);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let [day, month, year] = parts[..] else {
        return None;
    };
    let number = |text: &str, most: usize| {
        let is_number =
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten()
    };
    // A year of two digits may be of another century.
    if year.len() != 4 {
        return None;
    }
    let (day, month) = (number(day, 2)?, number(month, 2)?);
    Date::new(
        number(year, 4)?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// The first day of a month in figures: `2026-11`.
fn month(text: &str) -> Option<Date> {
    let (year, month) = text.split_once('-')?;
    (year.len() == 4 && month.len() == 2).then_some(())?;
    Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()
}

/// Such a time of today, or the next one of what will be.
fn time_of_day(time: Time, now: &ZonedDateTime, lean: Lean) -> Option<When> {
    let on = |day: Date| {
        let there = day.to_datetime(time);
        let there = there.to_zoned_datetime(now.time_zone().clone()).ok()?;
        Some(there.timestamp())
    };
    let today = on(now.date())?;
    let at = match lean {
        Lean::Ahead if today < now.timestamp() => on(now.date().tomorrow().ok()?)?,
        Lean::Ahead | Lean::Behind => today,
    };
    Some(When::At(at))
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" => Weekday::Tuesday,
        "wednesday" | "wed" => Weekday::Wednesday,
        "thursday" | "thu" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// The week (from Monday on), month or year that is `by` of them away.
fn span_of(unit: &str, today: Date, by: i64) -> Option<When> {
    let (first, one) = match unit {
        "week" => {
            let days = i64::from(today.weekday().to_monday_zero_offset());
            (today.checked_sub(days.days()).ok()?, 1.week())
        }
        "month" => (today.first_of_month(), 1.month()),
        "year" => (today.first_of_year(), 1.year()),
        _ => return None,
    };
    let first = first.checked_add(one.checked_mul(by).ok()?).ok()?;
    // The last of the calendar ends with it.
    let last = match first.checked_add(one) {
        Ok(after) => after.yesterday().ok()?,
        Err(_) => Date::MAX,
    };
    Some(When::Days(first, last))
}

/// `in 30 days` is a day, `in 2 hours` an instant.
fn ahead(words: &[&str], now: &ZonedDateTime) -> Option<When> {
    if let [count, unit] = words
        && let Some(span) = number(count).and_then(|count| whole_days(count, unit))
    {
        let day = now.date().checked_add(span).ok()?;
        return Some(When::Days(day, day));
    }
    let ahead = duration(&words.join(" ")).ok()?;
    Some(When::At(now.timestamp().checked_add(ahead).ok()?))
}

/// `a week ago` is a day, `2 hours ago` an instant.
fn ago(words: &[&str], now: &ZonedDateTime) -> Option<When> {
    if let [count, unit] = words {
        let count = number(count)?;
        if let Some(span) = whole_days(count, unit) {
            let day = now.date().checked_sub(span).ok()?;
            return Some(When::Days(day, day));
        }
        let ago = duration(&format!("{count}{unit}")).ok()?;
        return Some(When::At(now.timestamp().checked_sub(ago).ok()?));
    }
    let ago = duration(&words.join(" ")).ok()?;
    Some(When::At(now.timestamp().checked_sub(ago).ok()?))
}

/// How many, in figures or as one.
fn number(word: &str) -> Option<i64> {
    match word {
        "a" | "an" | "one" => Some(1),
        figures => figures.parse::<u32>().ok().map(i64::from),
    }
}

fn whole_days(number: i64, unit: &str) -> Option<Span> {
    let span = Span::new();
    match unit {
        "day" | "days" => span.try_days(number).ok(),
        "week" | "weeks" => span.try_weeks(number).ok(),
        "month" | "months" => span.try_months(number).ok(),
        "year" | "years" => span.try_years(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
