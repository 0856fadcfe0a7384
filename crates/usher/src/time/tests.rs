//! Times and durations, case by case.

use super::*;

#[test]
fn durations_are_read_in_every_form_that_the_help_names() {
    for (text, seconds) in [
        ("90", 90),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1y", 31_536_000),
        ("1h 30m", 5_400),
        ("0", 0),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in [
        "",
        "h",
        "5x",
        "-1",
        "1.5h",
        "99999999999999999999",
        "99999999999999999w",
        "5m!",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn spans_are_said_in_two_units() {
    let said: Vec<String> = [0, 59, 61, 3_600, 5_400, 90_061].map(span).to_vec();
    assert_eq!(
        said,
        ["0 s", "59 s", "1 min 1 s", "1 h", "1 h 30 min", "1 d 1 h"]
    );
}

/// However long it takes to read it.
fn assert_is_ago(text: &str, seconds: i64) {
    let before = Timestamp::now().as_second();
    let read = since(text).unwrap().as_second() + seconds;
    let after = Timestamp::now().as_second();
    assert!((before..=after).contains(&read), "{text}: {read}");
}

#[test]
fn an_instant_is_read_as_a_time_a_day_or_how_long_ago() {
    assert_eq!(
        since("2026-01-31T08:00:00Z").unwrap().to_string(),
        "2026-01-31T08:00:00Z"
    );
    assert_is_ago("1h", 3_600);
    let day = until("2026-01-31").unwrap().as_second() - since("2026-01-31").unwrap().as_second();
    assert_eq!(day, 86_400);
    assert!(since("the day before").is_err());
    assert!(since("7").is_err_and(|why| why.contains("write 7d")));
    assert!(since("tomorrow").is_err_and(|why| why.contains("yet to come")));
    assert!(since("now").is_ok() && since("today").is_ok());
    assert!(since("2026-11-31").is_err_and(|why| why.contains("November 2026 has 30")));
    assert!(since("99999999w").is_err_and(|why| why.contains("before all times")));
    assert_eq!(until("9999-12-31"), Ok(Timestamp::MAX));
    assert_eq!(until("9999-12-31T23:59:59Z"), Ok(Timestamp::MAX));
}

#[test]
fn a_time_of_today_that_is_yet_to_come_is_not_taken_for_that_of_yesterday() {
    let now: ZonedDateTime = "2026-11-25T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let at = |text| period(text, &now, Lean::Behind).unwrap().0;
    let why = must_have_come("12:30", at("12:30"), &now).unwrap_err();
    assert!(why.contains("yet to come"), "{why}");
    assert!(
        why.ends_with("of yesterday it is \"2026-11-24 12:30\""),
        "{why}"
    );
    assert_eq!(must_have_come("09:30", at("09:30"), &now), Ok(()));
    let day = must_have_come("2026-12-24", at("2026-12-24"), &now).unwrap_err();
    assert!(!day.contains("yesterday"), "{day}");
}

#[test]
fn what_lasts_for_days_begins_with_the_first_and_ends_with_the_last() {
    // A Wednesday.
    let now: ZonedDateTime = "2026-11-25T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let read = |text: &str| {
        let (begin, end) = period(text, &now, Lean::Behind).unwrap();
        (begin.to_string(), end.to_string())
    };
    for (text, begin, end) in [
        ("Yesterday", "2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z"),
        ("last week", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z"),
        ("last year", "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z"),
    ] {
        assert_eq!(read(text), (begin.to_owned(), end.to_owned()), "{text}");
    }
    assert_is_ago("2 hours ago", 7_200);
}

#[test]
fn a_validity_is_of_days_where_days_are_said() {
    let now: ZonedDateTime = "2026-11-25T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let read = |text: &str, is_first| bound(text, is_first, &now).unwrap();
    let day = |text: &str| Bound::Day(text.to_owned());
    let at = |text: &str| Bound::At(text.to_owned());
    assert_eq!(read("tomorrow", true), day("2026-11-26"));
    assert_eq!(read("next month", true), day("2026-12-01"));
    assert_eq!(read("next month", false), day("2026-12-31"));
    assert_eq!(read("9999-12-31", false), day("9999-12-31"));
    assert_eq!(read("in 2 hours", false), at("2026-11-25T11:00:00Z"));
    assert_eq!(read("2026-12-31 18:00", false), at("2026-12-31T17:00:00Z"));
    assert_eq!(
        read("9999-12-31T23:59:59Z", false),
        at("9999-12-31T23:59:59Z")
    );
    let why = bound("soon", true, &now).unwrap_err();
    insta::assert_snapshot!(why, @r#""soon" is not a date; write it like 2026-12-31, tomorrow, "next monday", "in 30 days" or 2026-12-31T18:00:00Z"#);
}
