//! Prometheus' text format.

use std::fmt::{Display, Write};

/// The head of a metric: what it is, and of which type.
pub(super) fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a text does not fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

/// A sample with these labels.
pub(super) fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl Display) {
    text.push_str(name);
    for (place, (label, of_it)) in labels.iter().enumerate() {
        let before = if place == 0 { '{' } else { ',' };
        let _ = write!(text, "{before}{label}=\"{}\"", escaped(of_it));
    }
    if !labels.is_empty() {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

/// The value of a label as the format has it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_the_format_is_escaped_in_labels() {
        let mut text = String::new();
        sample(&mut text, "m", &[("a", "x\"y\\z\n"), ("b", "")], 7);
        sample(&mut text, "m", &[], 0.5);
        assert_eq!(text, "m{a=\"x\\\"y\\\\z\\n\",b=\"\"} 7\nm 0.5\n");
    }
}
