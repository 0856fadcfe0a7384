//! Small texts that more than one part prints.

use crate::clock::{DAY, HOUR, MINUTE, SECOND};

/// A span of milliseconds as people say it.
pub(crate) fn span(ms: u64) -> String {
    match ms {
        _ if ms < SECOND => format!("{ms} ms"),
        _ if ms < 2 * MINUTE => format!("{} s", ms / SECOND),
        _ if ms < 2 * HOUR => format!("{} min", ms / MINUTE),
        _ if ms < 2 * DAY => format!("{} h {} min", ms / HOUR, ms / MINUTE % 60),
        _ => format!("{} days {} h", ms / DAY, ms / HOUR % 24),
    }
}

/// A number with its thousands set apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_said_as_people_say_them() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        let spans = [5, 90_000, 900_000, 9_000_000, 200_000_000].map(span);
        assert_eq!(
            spans,
            ["5 ms", "90 s", "15 min", "2 h 30 min", "2 days 7 h"]
        );
    }
}
