//! Periods with a first and a last instant.

use jiff::{Timestamp, ZonedDateTime};

use super::when::Lean;
use super::{local, must_have_come, not_a_day, period};

/// A period, from its first instant to the first one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The first instant.
    pub(crate) from: Timestamp,
    /// The first instant after it.
    pub(crate) to: Timestamp,
}

impl Period {
    /// From `since` to `until`, or `during` alone, as far as they were given; refused if the period
    /// is empty.
    pub(crate) fn ends(
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        during: Option<Period>,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), String> {
        if let Some(during) = during {
            return Ok((Some(during.from), Some(during.to)));
        }
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            return Err(format!(
                "--until ends at {}, and --since begins at {}: there is no time between them",
                local(until),
                local(since)
            ));
        }
        Ok((since, until))
    }
}

/// Reads a period: a day, week, month or year.
pub(crate) fn during(text: &str) -> Result<Period, String> {
    let now = ZonedDateTime::now();
    let (from, to) = match period(text, &now, Lean::Behind) {
        Some((from, to)) if from < to => (from, to),
        _ => {
            return Err(not_a_day(text).unwrap_or_else(|| {
                format!(
                    "{text:?} has no beginning and end; write it like yesterday, \"last week\", \
                     \"this month\", 2026-01 or 2026-01-31, or use --since and --until"
                )
            }));
        }
    };
    must_have_come(text, from, &now)?;
    Ok(Period { from, to })
}

#[cfg(test)]
mod tests {
    use super::super::{since, up_to};
    use super::*;

    #[test]
    fn a_time_with_both_ends_is_a_day_a_week_a_month_or_a_year() {
        let week = during("last week").unwrap();
        assert_eq!(week.from, since("last week").unwrap());
        assert_eq!(week.to, up_to("last week").unwrap());
        for text in ["7d", "now", "07:30", "next week", "some time"] {
            assert!(during(text).is_err(), "{text}");
        }
        let (from, to) = Period::ends(None, None, Some(week)).unwrap();
        assert_eq!((from, to), (Some(week.from), Some(week.to)));
    }

    #[test]
    fn an_end_that_is_not_after_the_beginning_is_refused() {
        let (day, before) = (since("2026-01-31").ok(), up_to("2026-01-30").ok());
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let refused = Period::ends(at("2026-02-02T00:00:00Z"), at("2026-02-01T00:00:00Z"), None);
        assert!(refused.unwrap_err().contains("no time between"));
        assert!(day.is_some() && Period::ends(day, before, None).is_err());
        let last = at("2026-02-01T00:00:00Z");
        assert_eq!(Period::ends(last, None, None).unwrap(), (last, None));
    }
}
