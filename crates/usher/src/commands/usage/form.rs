//! The form of durations and times in the tables of use, and the time that they are about.

use usher_api::OfTime;
use usher_core::people::COMPUTER_REALM_PREFIX;

use crate::context::Context;
use crate::listing::{Form, eprintln_quiet};
use crate::time;

/// How many characters of a computer's realm are shown.
const SHOWN: usize = 20;

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

    /// The heading of a column: one for people, another for spreadsheets.
    pub(super) fn heading<'h>(self, for_people: &'h str, in_seconds: &'h str) -> &'h str {
        match self.in_seconds {
            true => in_seconds,
            false => for_people,
        }
    }

    /// A realm: for people, the id of a computer is cut to what tells it from others at a glance.
    pub(super) fn realm(self, realm: &str) -> String {
        let is_long = realm.starts_with(COMPUTER_REALM_PREFIX) && realm.chars().count() > SHOWN;
        match is_long && !self.in_seconds {
            true => realm.chars().take(SHOWN - 1).chain(['…']).collect(),
            false => realm.to_owned(),
        }
    }

    pub(super) fn cell(self, seconds: u64) -> String {
        match self.in_seconds {
            true => seconds.to_string(),
            false => time::span(seconds),
        }
    }
}

/// Says which time the sums are about; `of_now` is the text about columns of the present.
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
    fn a_computers_realm_is_cut_for_people_alone() {
        let of = |csv| Durations::of(Form { csv });
        let realm = "computer:c-88eb0cdd15c44a1b9d6e3f2a1b0c9d8e";
        assert_eq!(of(false).realm(realm), "computer:c-88eb0cdd…");
        assert_eq!(of(true).realm(realm), realm);
        assert_eq!(
            of(false).realm("directory.of.a.long.name.example"),
            "directory.of.a.long.name.example"
        );
    }

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
