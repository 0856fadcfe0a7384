//! Times and durations, as people write and read them.

mod amiss;
mod during;
mod when;

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

pub(crate) use self::during::{Period, during};
pub(crate) use self::when::written;
use self::when::{Lean, When};

/// A time in this computer's time zone.
pub(crate) fn local(time: Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A time in a zone, with what the zone is called: for what is read elsewhere, too.
pub(crate) fn zoned(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
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

/// Reads a duration: `90`, `90s`, `5m`, `1h30m`, `7d`, `2w`, `1y` (365 days). A number alone is
/// seconds.
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
            "y" | "year" | "years" => 31_536_000,
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

/// Reads a duration of at least, and at most, so many seconds. What it says of another has the range.
pub(crate) fn within(text: &str, least: u64, most: Option<u64>) -> Result<u64, String> {
    let range = match most {
        Some(most) => format!("give {} to {}", span(least), span(most)),
        None => format!("give {} or more", span(least)),
    };
    let seconds = duration(text)
        .map_err(|why| format!("{why}; {range}"))?
        .as_secs();
    match seconds >= least && most.is_none_or(|most| seconds <= most) {
        true => Ok(seconds),
        false => Err(range),
    }
}

/// Clocks may differ by so much without anybody's mistake.
const LEEWAY_SECONDS: i64 = 60;

/// Reads the instant since when something is looked at: an RFC 3339 time, a day or what people call
/// one (its first second here), a time of day, or how long ago (`7d`, `2 hours ago`). One that is
/// yet to come is refused.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    since_in(text, &ZonedDateTime::now())
}

/// The same, if days are of the zone of `now`.
pub(crate) fn since_in(text: &str, now: &ZonedDateTime) -> Result<Timestamp, String> {
    let since = match period(text, now, Lean::Behind) {
        Some((begin, _)) => begin,
        None => ago(text)?,
    };
    must_have_come(text, since, now)?;
    Ok(since)
}

/// Reads the end of a time that is looked at: the same, and of a day its last second.
pub(crate) fn up_to(text: &str) -> Result<Timestamp, String> {
    up_to_in(text, &ZonedDateTime::now())
}

/// The same, if days are of the zone of `now`.
pub(crate) fn up_to_in(text: &str, now: &ZonedDateTime) -> Result<Timestamp, String> {
    match period(text, now, Lean::Behind) {
        Some((_, end)) => Ok(end),
        None => ago(text),
    }
}

fn must_have_come(text: &str, at: Timestamp, now: &ZonedDateTime) -> Result<(), String> {
    if at.as_second() <= now.timestamp().as_second() + LEEWAY_SECONDS {
        return Ok(());
    }
    let time = text.trim();
    let mut why = format!(
        "{text:?} begins at {}, which is yet to come: nothing has happened since",
        local(at)
    );
    if time.parse::<Time>().is_ok()
        && let Ok(yesterday) = now.date().yesterday()
    {
        why.push_str(&format!("; of yesterday it is \"{yesterday} {time}\""));
    }
    Err(why)
}

/// Reads the end of something: an RFC 3339 time, a day (its last second here), or how long from now.
/// The last day that there is, by which people mean that it has no end, is the last instant.
pub(crate) fn until(text: &str) -> Result<Timestamp, String> {
    if let Some((_, end)) = period(text, &ZonedDateTime::now(), Lean::Ahead) {
        return Ok(end);
    }
    let Ok(ahead) = duration(text) else {
        return Err(not_a_day(text).unwrap_or_else(|| {
            format!(
                "{text:?} is not a time; write it like 2026-12-31, 2026-12-31T18:00:00Z, \
                 tomorrow, \"next friday\", or how long from now: 90d"
            )
        }));
    };
    let beyond = |_| format!("{text:?} from now is beyond the year 9999; leave it out for no end");
    Timestamp::now().checked_add(ahead).map_err(beyond)
}

/// The same of something that is yet to end: what is over already is refused.
pub(crate) fn ahead(text: &str) -> Result<Timestamp, String> {
    let until = until(text)?;
    match until > Timestamp::now() {
        true => Ok(until),
        false => Err(format!(
            "{text:?} is over already; give a day or time that is yet to come, or how long from \
             now: 90d"
        )),
    }
}

fn ago(text: &str) -> Result<Timestamp, String> {
    let number = text.trim();
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "{text:?} has no unit; write {number}d for days, {number}h for hours, {number}m for \
             minutes"
        ));
    }
    let Ok(ago) = duration(text.trim().trim_end_matches(" ago")) else {
        return Err(not_a_day(text).unwrap_or_else(|| {
            format!(
                "{text:?} is not a time; write it like 2026-01-31, 2026-01-31T08:00:00Z, 07:30, \
                 yesterday, \"last week\", or how long ago: 7d, 12h"
            )
        }));
    };
    let beyond = |_| format!("{text:?} ago is before all times that there are");
    Timestamp::now().checked_sub(ago).map_err(beyond)
}

/// From when to when something lasts that is written as an instant, as a day, or as people call
/// days: `yesterday`, `this week` (from Monday on), `last month`. None: it is nothing of these.
fn period(text: &str, now: &ZonedDateTime, lean: Lean) -> Option<(Timestamp, Timestamp)> {
    let start = |day: Result<Date, jiff::Error>| {
        // What is beyond the calendar is its end.
        day.and_then(|day| day.to_zoned_datetime(now.time_zone().clone()))
            .map_or(Timestamp::MAX, |start| start.timestamp())
    };
    Some(match When::read(text, now, lean)? {
        When::At(time) => (time, time),
        When::Days(first, last) => (start(Ok(first)), start(last.tomorrow())),
        When::Never => (Timestamp::MAX, Timestamp::MAX),
    })
}

/// Whether a date is one by which people mean that something has no end.
pub(crate) fn is_never(text: &str) -> bool {
    text.starts_with("9999-12-3")
}

/// The name of this computer's time zone, if it has one: days that are typed are days of it.
pub(crate) fn zone_here() -> Option<String> {
    let zone = TimeZone::system();
    // Where nothing is said of a zone, times are shown in UTC.
    match zone.iana_name() {
        _ if zone.is_unknown() => Some("UTC".to_owned()),
        Some("Etc/UTC" | "Etc/Zulu" | "Zulu" | "UCT" | "Etc/UCT" | "Universal") => {
            Some("UTC".to_owned())
        }
        named => named.map(str::to_owned),
    }
}

/// One end of a validity, as a server reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A day, which is written with its time zone beside it.
    Day(String),
    /// An instant, or the end of the calendar.
    At(String),
}

impl Bound {
    /// The text of it.
    pub(crate) fn text(self) -> String {
        match self {
            Bound::Day(text) | Bound::At(text) => text,
        }
    }
}

/// Reads a first day (`is_first`) or a last one, or an instant, with `now` in the zone that days are
/// of. Of a week, a month or a year it is the first day or the last.
pub(crate) fn bound(text: &str, is_first: bool, now: &ZonedDateTime) -> Result<Bound, String> {
    match When::read(text, now, Lean::Ahead) {
        Some(When::Days(first, last)) => Ok(Bound::Day(match is_first {
            true => first.to_string(),
            false => last.to_string(),
        })),
        Some(When::At(at)) => Ok(Bound::At(at.to_string())),
        Some(When::Never) => Ok(Bound::At(text.trim().to_owned())),
        None => Err(not_a_day(text).unwrap_or_else(|| {
            format!(
                "{text:?} is not a date; write it like 2026-12-31, tomorrow, \"next monday\", \
                 \"in 30 days\" or 2026-12-31T18:00:00Z"
            )
        })),
    }
}

/// What is wrong with a day in figures that is none, such as the 31st of November.
pub(crate) fn not_a_day(text: &str) -> Option<String> {
    amiss::amiss(text)
}

/// The current instant in the time zone `zone`, or in this computer's if none is named.
pub(crate) fn now_in(zone: Option<&str>) -> Result<ZonedDateTime, String> {
    let now = ZonedDateTime::now();
    let Some(zone) = zone else { return Ok(now) };
    let zone = TimeZone::get(zone).map_err(|_| {
        format!("{zone:?} is no time zone known here; give a name such as Europe/Berlin")
    })?;
    Ok(now.with_time_zone(zone))
}

#[cfg(test)]
mod tests;
