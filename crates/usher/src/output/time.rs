//! Times and durations, as people write and read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

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
        rest = &rest[digits..];
        let letters = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .len();
        let size = match &rest[..letters] {
            "" | "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
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

/// Reads an instant: an RFC 3339 time, a day (its first second here), or how long ago (`7d`).
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return day
            .to_zoned_datetime(TimeZone::system())
            .map(|start| start.timestamp())
            .map_err(|error| error.to_string());
    }
    let Ok(ago) = duration(text) else {
        return Err(format!(
            "{text:?} is not a time; write it like 2026-01-31, 2026-01-31T08:00:00Z, or how long ago: 7d, 12h"
        ));
    };
    Timestamp::now()
        .checked_sub(ago)
        .map_err(|error| error.to_string())
}

/// Reads the end of something: an RFC 3339 time, a day (its last second here), or how long from now.
pub(crate) fn until(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        let next = day.tomorrow().map_err(|error| error.to_string())?;
        return next
            .to_zoned_datetime(TimeZone::system())
            .map(|start| start.timestamp())
            .map_err(|error| error.to_string());
    }
    let Ok(ahead) = duration(text) else {
        return Err(format!(
            "{text:?} is not a time; write it like 2026-12-31, 2026-12-31T18:00:00Z, or how long from now: 90d"
        ));
    };
    Timestamp::now()
        .checked_add(ahead)
        .map_err(|error| error.to_string())
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

    #[test]
    fn an_instant_is_read_as_a_time_a_day_or_how_long_ago() {
        assert_eq!(
            since("2026-01-31T08:00:00Z").unwrap().to_string(),
            "2026-01-31T08:00:00Z"
        );
        let ago = Timestamp::now().as_second() - since("1h").unwrap().as_second();
        assert!((3_599..=3_601).contains(&ago));
        let day =
            until("2026-01-31").unwrap().as_second() - since("2026-01-31").unwrap().as_second();
        assert_eq!(day, 86_400);
        assert!(since("yesterday").is_err());
    }
}
