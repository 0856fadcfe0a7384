//! Figures, lengths of time and instants as people read them.

use jiff::tz::TimeZone;
use usher_api::{SiteUsage, Timestamp};
use usher_core::policy;

/// How many names a sentence has; the rest is counted.
const NAMES: usize = 3;

/// `1 seat`, `2 seats`, `2 people`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    match (count, what) {
        (1, _) => format!("1 {what}"),
        (many, "person") => format!("{many} people"),
        _ => format!("{count} {what}s"),
    }
}

/// As [`counted`], for what is in a list.
pub(crate) fn many(count: usize, what: &str) -> String {
    counted(whole(count), what)
}

/// The end of a sentence on how full products are: of how many it is not known how many seats there
/// are; empty if there are none.
pub(crate) fn owned_not_known(count: usize) -> String {
    match count {
        0 => String::new(),
        of => format!(
            "; of {} it is not known how many seats there are",
            many(of, "product")
        ),
    }
}

/// A length as a number of the API.
pub(crate) fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// An instant to the minute, in a zone.
pub(crate) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned_datetime(zone.clone());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The day of an instant, in a zone.
pub(crate) fn day(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned_datetime(zone.clone());
    at.strftime("%Y-%m-%d").to_string()
}

/// A length of time: `40 s`, `95 min`, `26 h 4 min`, `1234 h`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 1.0 {
        return "under 1 s".to_owned();
    }
    // Negative ones and what is no number become 0, longer ones than there are the longest.
    let seconds = seconds.round() as u64;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ if hours >= 100 || minutes == 0 => format!("{hours} h"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// A number with at most two decimals, without zeros at its end.
pub(crate) fn figure(number: f64) -> String {
    // Adding 0 makes 0 of -0.
    let rounded = (number * 100.0).round() / 100.0 + 0.0;
    let text = format!("{rounded:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `12.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// An amount of money in ten-thousandths of a unit, as prices are written.
pub(crate) fn money(ten_thousandths: u64) -> String {
    policy::Amount { ten_thousandths }.to_string()
}

/// An amount of money in ten-thousandths of a unit: to hundredths, unless it is below one unit.
pub(crate) fn rounded_money(ten_thousandths: u64) -> String {
    match ten_thousandths {
        0..10_000 => money(ten_thousandths),
        _ => money(ten_thousandths.saturating_add(50) / 100 * 100),
    }
}

/// `a, b, c`, with `and 7 more` if there are many.
pub(crate) fn names(names: &[&str]) -> String {
    let mut text = names[..names.len().min(NAMES)].join(", ");
    if names.len() > NAMES {
        text += &format!(" and {} more", names.len() - NAMES);
    }
    text
}

/// How long a stretch of usage is, in seconds.
pub(crate) fn length_seconds(item: &SiteUsage) -> f64 {
    let ms = item.to.as_millisecond() - item.from.as_millisecond();
    ms as f64 / 1_000.0
}

/// Whether nobody looked in all of a stretch, or it has not begun.
pub(crate) fn is_unseen(item: &SiteUsage, now: Timestamp) -> bool {
    let until = item.to.min(now);
    let ms = until.as_millisecond() - item.from.as_millisecond();
    ms <= 0 || item.unobserved_seconds >= ms as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_numbers_are_short() {
        let lengths = [
            (-1.0, "0 s"),
            (0.2, "under 1 s"),
            (119.4, "119 s"),
            (5_700.0, "95 min"),
            (7_200.0, "2 h"),
            (93_840.0, "26 h 4 min"),
            (4_442_460.0, "1234 h"),
            (f64::NAN, "0 s"),
        ];
        for (seconds, text) in lengths {
            assert_eq!(duration(seconds), text);
        }
        for (number, text) in [(2.0, "2"), (-0.001, "0"), (0.256, "0.26"), (100.0, "100")] {
            assert_eq!(figure(number), text);
        }
        assert_eq!(percent(0.0512), "5.1 %");
        assert_eq!(names(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        assert_eq!(counted(2, "person"), "2 people");
    }
}
