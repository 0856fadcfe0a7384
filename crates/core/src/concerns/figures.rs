//! Figures as people say them.

use std::time::Duration;

use jiff::Timestamp;

use crate::health::span;

/// How many names are written out; the rest is counted.
const NAMES: usize = 5;

/// `a, b, c`, with `and 7 more` if there are many.
pub(super) fn names(names: &[String]) -> String {
    let mut text = names[..names.len().min(NAMES)].join(", ");
    if names.len() > NAMES {
        text += &format!(" and {} more", names.len() - NAMES);
    }
    text
}

/// `1 seat`, `2 seats`.
pub fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// `1.5 GB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let unit = UNITS.iter().find(|(_, size)| bytes >= *size);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(name, size)| format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
    )
}

/// The day of an instant, in UTC.
pub(super) fn day(ms: i64) -> String {
    instant(ms).strftime("%Y-%m-%d").to_string()
}

/// An instant to the minute, in UTC.
pub(super) fn minute(ms: i64) -> String {
    instant(ms).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The time from one instant to a later one.
pub(super) fn lasted(from_ms: i64, to_ms: i64) -> String {
    let ms = u64::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(0);
    span(Duration::from_millis(ms))
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_said_as_people_say_them() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_550_000_000), "1.5 GB");
        let many: Vec<String> = (1..=7).map(|n| format!("pc{n}")).collect();
        assert_eq!(names(&many), "pc1, pc2, pc3, pc4, pc5 and 2 more");
        assert_eq!(names(&many[..2]), "pc1, pc2");
        assert_eq!(minute(1_795_600_800_000), "2026-11-25 10:00 UTC");
    }
}
