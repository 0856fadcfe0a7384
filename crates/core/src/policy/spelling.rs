//! Durations as people write them, and suggestions for misspelled keys.

/// A suggestion which of these was meant, or a list of them.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    // Who leaves the end out means what begins so.
    let distance = |other: &str| match word.len() > 2 && other.starts_with(word) {
        true => 1,
        false => strsim::damerau_levenshtein(word, other),
    };
    let near = known.iter().min_by_key(|other| distance(other));
    match near {
        Some(near) if distance(near) <= near.len().div_ceil(2).max(2) => {
            format!("did you mean `{near}`?")
        }
        _ => format!("it can be {}", known.join(", ")),
    }
}

const UNITS: [(u32, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

/// Reads `90`, `90s`, `30m`, `1h30m`, `7d` or `2w` as seconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total: Option<i64> = None;
    while !rest.is_empty() {
        let letters = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: i64 = rest[..letters].parse().ok()?;
        rest = rest[letters..].trim_start();
        let next = rest.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, behind) = rest.split_at(next.unwrap_or(rest.len()));
        let size = match unit {
            "" | "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        total = Some(total.unwrap_or(0).checked_add(number.checked_mul(size)?)?);
        rest = behind.trim_start();
    }
    total
}

/// Seconds as a duration in the largest unit that divides them.
pub(super) fn span(seconds: u32) -> String {
    let unit = UNITS
        .iter()
        .find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size));
    let (size, name) = unit.unwrap_or(&(1, "s"));
    format!("{}{name}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_it_is_written() {
        for seconds in [0, 1, 60, 61, 3_600, 5_400, 86_400, 604_800] {
            assert_eq!(duration(&span(seconds)), Some(i64::from(seconds)));
        }
        assert_eq!(span(5_400), "90m");
        for (text, seconds) in [
            ("90", 90),
            ("1h30m", 5_400),
            ("1h 30 min", 5_400),
            ("2w", 1_209_600),
        ] {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for wrong in [
            "",
            "h",
            "-1",
            "1.5h",
            "5x",
            "99999999999999999999",
            "9999999999999999w",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_near_is_named_and_else_all() {
        let known = ["mode", "counting", "publisher"];
        assert_eq!(nearest("mod", &known), "did you mean `mode`?");
        assert_eq!(nearest("publsiher", &known), "did you mean `publisher`?");
        assert_eq!(nearest("pub", &known), "did you mean `publisher`?");
        assert_eq!(
            nearest("colourfulness", &known),
            "it can be mode, counting, publisher"
        );
    }
}
