//! Axes: from values to places, and round numbers beside them.

/// How many series and parts have a look of their own.
pub(super) const LOOKS: usize = 6;

/// The class of a line.
pub(super) fn stroke(place: usize) -> &'static str {
    [
        "line s0", "line s1", "line s2", "line s3", "line s4", "line s5",
    ][place % LOOKS]
}

/// The class of an area.
pub(super) fn fill(place: usize) -> &'static str {
    ["f0", "f1", "f2", "f3", "f4", "f5"][place % LOOKS]
}

/// A place in a drawing.
pub(super) fn px(place: f64) -> String {
    let text = format!("{place:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The round number that an axis ends with: 1, 2 or 5 with zeros, and not below the highest value.
pub(super) fn top(highest: f64) -> f64 {
    if !highest.is_finite() || highest <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let top = steps.into_iter().find(|top| *top >= highest);
    top.unwrap_or(highest)
}

/// The beginning of a text, if it is longer than so many characters.
pub(super) fn short(text: &str, limit: usize) -> String {
    match text.chars().count() > limit {
        true => text.chars().take(limit - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_with_a_round_number() {
        let tops = [
            (0.0, 1.0),
            (1.0, 1.0),
            (3.0, 5.0),
            (17.0, 20.0),
            (0.3, 0.5),
            (f64::NAN, 1.0),
            (f64::INFINITY, 1.0),
        ];
        for (highest, expected) in tops {
            assert!((top(highest) - expected).abs() < 1e-9, "{highest}");
        }
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!((px(3.0), px(3.24)), ("3".to_owned(), "3.2".to_owned()));
    }
}
