//! How durations and times stand in the tables of use, and which time they are about.

use usher_api::OfTime;

use crate::context::Context;
use crate::listing::{Form, eprintln_quiet};
use crate::time;

/// Durations in a table: for people in words, for spreadsheets as numbers, which can be added up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Durations {
    in_seconds: bool,
}

impl Durations {
    pub(super) fn of(form: Form) -> Durations {
        Durations {
            in_seconds: form.csv,
        }
    }

    /// Of the two headings of a column the one that fits.
    pub(super) fn heading<'h>(self, for_people: &'h str, in_seconds: &'h str) -> &'h str {
        match self.in_seconds {
            true => in_seconds,
            false => for_people,
        }
    }

    pub(super) fn cell(self, seconds: u64) -> String {
        match self.in_seconds {
            true => seconds.to_string(),
            false => time::span(seconds),
        }
    }
}

/// Says of which time sums are; `of_now` is what is said of columns that are of another.
pub(super) fn say_time(context: &Context, time: Option<&OfTime>, of_now: &str) {
    if let (Some(time), false) = (time, context.json()) {
        eprintln_quiet(&format!("{}{of_now}", told(time)));
    }
}

fn told(of: &OfTime) -> String {
    let (since, until) = (time::local(of.since), time::local(of.until));
    match of.recorded_since {
        Some(begun) if begun >= of.until => format!(
            "From {since} to {until}, of which nothing is recorded: uses are since {}.",
            time::local(begun)
        ),
        Some(begun) if begun > of.since => format!(
            "From {since} to {until}; uses are recorded since {}.",
            time::local(begun)
        ),
        _ => format!("From {since} to {until}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_with_since_when_uses_are_recorded() {
        let at = |text: &str| text.parse().unwrap();
        let of = |recorded: Option<&str>| {
            told(&OfTime {
                since: at("2026-03-01T00:00:00Z"),
                until: at("2026-03-31T00:00:00Z"),
                recorded_since: recorded.map(at),
            })
        };
        assert_eq!(of(None), of(Some("2026-02-01T00:00:00Z")));
        assert!(!of(None).contains("recorded"));
        let within = of(Some("2026-03-30T00:00:00Z"));
        assert!(within.contains("uses are recorded since"), "{within}");
        let after = of(Some("2026-04-01T00:00:00Z"));
        assert!(after.contains("nothing is recorded"), "{after}");
    }
}
