//! Days as people say them, on a day that is fixed.

use super::*;

fn read(text: &str, lean: Lean) -> String {
    // A Wednesday.
    let now: ZonedDateTime = "2026-11-25T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    match When::read(text, &now, lean) {
        Some(When::At(at)) => at.to_string(),
        Some(When::Days(first, last)) if first == last => first.to_string(),
        Some(When::Days(first, last)) => format!("{first} to {last}"),
        Some(When::Never) => "never".to_owned(),
        None => "not read".to_owned(),
    }
}

#[test]
fn days_weeks_months_and_years_are_read_as_people_say_them() {
    for (text, means) in [
        ("2026-01-31", "2026-01-31"),
        ("31.12.2026", "2026-12-31"),
        ("1.2.2026", "2026-02-01"),
        ("31.12.26", "not read"),
        ("12/31/2026", "not read"),
        ("+1.12.2026", "not read"),
        ("9999-12-31", "9999-12-31"),
        ("9999-12-31T23:59:59Z", "never"),
        ("now", "2026-11-25T09:00:00Z"),
        ("2026-11-25T09:00:00+01:00", "2026-11-25T08:00:00Z"),
        ("2026-11-25T09:00", "2026-11-25T08:00:00Z"),
        ("2026-07-01 09:00:30", "2026-07-01T07:00:30Z"),
        ("07:34", "2026-11-25T06:34:00Z"),
        ("07:34:30", "2026-11-25T06:34:30Z"),
        ("18:00", "2026-11-25T17:00:00Z"),
        ("25:00", "not read"),
        ("2026-11", "2026-11-01 to 2026-11-30"),
        ("2026-13", "not read"),
        ("a week ago", "2026-11-18"),
        ("7 days ago", "2026-11-18"),
        ("2 months ago", "2026-09-25"),
        ("one year ago", "2025-11-25"),
        ("an hour ago", "2026-11-25T08:00:00Z"),
        ("90 minutes ago", "2026-11-25T07:30:00Z"),
        ("1h30m ago", "2026-11-25T07:30:00Z"),
        ("long ago", "not read"),
        ("ago", "not read"),
        ("in a week", "2026-12-02"),
        ("today", "2026-11-25"),
        (" Yesterday ", "2026-11-24"),
        ("tomorrow", "2026-11-26"),
        ("this week", "2026-11-23 to 2026-11-29"),
        ("last week", "2026-11-16 to 2026-11-22"),
        ("next week", "2026-11-30 to 2026-12-06"),
        ("this month", "2026-11-01 to 2026-11-30"),
        ("last month", "2026-10-01 to 2026-10-31"),
        ("next  month", "2026-12-01 to 2026-12-31"),
        ("last year", "2025-01-01 to 2025-12-31"),
        ("next year", "2027-01-01 to 2027-12-31"),
        ("next monday", "2026-11-30"),
        ("next wednesday", "2026-12-02"),
        ("last wednesday", "2026-11-18"),
        ("in 1 day", "2026-11-26"),
        ("in 30 days", "2026-12-25"),
        ("in 2 weeks", "2026-12-09"),
        ("in 3 months", "2027-02-25"),
        ("in 1 year", "2027-11-25"),
        ("in 2 hours", "2026-11-25T11:00:00Z"),
        ("in 99999999 years", "not read"),
        ("in", "not read"),
        ("next", "not read"),
        ("next decade", "not read"),
        ("the day before", "not read"),
        ("", "not read"),
    ] {
        assert_eq!(read(text, Lean::Behind), means, "{text}");
    }
}

#[test]
fn a_time_of_day_is_of_today_or_the_next_one_of_what_will_be() {
    assert_eq!(read("09:30", Lean::Ahead), "2026-11-26T08:30:00Z");
    assert_eq!(read("10:30", Lean::Ahead), "2026-11-25T09:30:00Z");
}

#[test]
fn a_weekday_alone_is_the_last_one_of_what_was_and_the_next_one_of_what_will_be() {
    for (text, behind, ahead) in [
        ("monday", "2026-11-23", "2026-11-30"),
        ("Fri", "2026-11-20", "2026-11-27"),
        ("wednesday", "2026-11-25", "2026-11-25"),
    ] {
        assert_eq!(read(text, Lean::Behind), behind, "{text}");
        assert_eq!(read(text, Lean::Ahead), ahead, "{text}");
    }
}
