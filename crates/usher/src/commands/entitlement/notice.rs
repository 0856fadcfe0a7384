//! The day by which notice on an entitlement is to be given.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use usher_api::Entitlement as Wire;

use crate::output::counted;

/// The last day on which notice can be given; `None` if no notice is to be given, or the
/// entitlement never ends.
pub(super) fn day(it: &Wire) -> Option<Date> {
    let days = it.notice_days?;
    let said = it
        .to_day
        .as_deref()
        .and_then(|day| day.parse::<Date>().ok());
    let last = match said {
        Some(day) => day,
        // The first instant that is no longer valid is that of the next day.
        None => date(it.to?.checked_sub(1.millisecond()).ok()?, it),
    };
    let before = Span::new().try_days(i64::from(days)).ok()?;
    last.checked_sub(before).ok()
}

/// The text for a list.
pub(super) fn cell(it: &Wire) -> Option<String> {
    let days = it.notice_days?;
    Some(match day(it) {
        Some(day) => format!("{day} ({days} d)"),
        None => format!("{days} d"),
    })
}

/// The text for a change: `by 2026-10-02 (90 d)`, or `30 days before its end`.
pub(super) fn changed(it: &Wire) -> Option<String> {
    let days = it.notice_days?;
    Some(match day(it) {
        Some(day) => format!("by {day} ({days} d)"),
        None => format!("{} before its end", counted(days.into(), "day")),
    })
}

/// The text for a new entitlement; `None` if there is nothing to say.
pub(super) fn told(it: &Wire, now: Timestamp) -> Option<String> {
    let days = it.notice_days.filter(|days| *days > 0)?;
    if it.to.is_some_and(|to| to <= now) {
        return None;
    }
    Some(match day(it) {
        None => "It has no end, so no notice of it is due.".to_owned(),
        Some(day) if day < date(now, it) => format!(
            "Notice of it was to be given by {day}, {days} days before it ends: that day is past."
        ),
        Some(day) => format!("Notice of it is to be given by {day}, {days} days before it ends."),
    })
}

/// The day of an instant in the entitlement's time zone.
fn date(at: Timestamp, it: &Wire) -> Date {
    let zone = it.time_zone.as_deref().map(TimeZone::get);
    let zone = zone.and_then(Result::ok).unwrap_or_else(TimeZone::system);
    at.to_zoned_datetime(zone).date()
}

#[cfg(test)]
mod tests {
    use super::super::samples::wire;
    use super::*;

    #[test]
    fn notice_is_due_so_many_days_before_the_last_day() {
        let told = |days: u32, now: &str| {
            let mut it = wire("E1", 5, Some(("2026-01-01", "2027-02-10")));
            it.notice_days = Some(days);
            told(&it, now.parse().unwrap()).unwrap_or_default()
        };
        insta::assert_snapshot!(told(90, "2026-11-12T23:00:00Z"), @"Notice of it is to be given by 2026-11-12, 90 days before it ends.");
        insta::assert_snapshot!(told(90, "2026-11-13T00:00:00Z"), @"Notice of it was to be given by 2026-11-12, 90 days before it ends: that day is past.");
        assert_eq!(told(90, "2027-03-01T00:00:00Z"), "", "it is over");
        assert_eq!(told(0, "2026-11-13T00:00:00Z"), "", "none is to be given");
        let mut always = wire("E1", 5, None);
        always.notice_days = Some(90);
        assert_eq!(cell(&always).as_deref(), Some("90 d"));
        let mut ends = wire("E1", 5, None);
        ends.notice_days = Some(1);
        ends.time_zone = Some("UTC".to_owned());
        ends.to = Some("2027-02-10T18:00:00Z".parse().unwrap());
        assert_eq!(cell(&ends).as_deref(), Some("2027-02-09 (1 d)"));
    }
}
