//! Schedules: how they are written, and that each run happens exactly once, whatever is done to
//! the clock of a place.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calendar;
mod planned;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_core::schedule::Schedule;

/// The runs after an instant, as their place's clock shows them.
fn runs(schedule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(schedule).unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let mut now: Timestamp = after.parse().unwrap();
    let mut shown = Vec::new();
    for _ in 0..count {
        now = schedule.next_after(now, &zone).unwrap();
        shown.push(
            now.to_zoned_datetime(zone.clone())
                .strftime("%F %T %:z")
                .to_string(),
        );
    }
    shown
}

#[test]
fn a_weekly_run_keeps_its_local_time_across_a_year() {
    let shown = runs("Sun 01:59:59", "Europe/Berlin", "2026-03-20T00:00:00Z", 3);
    assert_eq!(
        shown,
        [
            "2026-03-22 01:59:59 +01:00",
            "2026-03-29 01:59:59 +01:00",
            "2026-04-05 01:59:59 +02:00",
        ]
    );
}

#[test]
fn a_time_that_is_skipped_runs_at_the_first_moment_after_the_gap() {
    let berlin = runs("daily 02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", 2);
    assert_eq!(
        berlin,
        ["2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"]
    );
    let howe = runs(
        "Sun 02:15",
        "Australia/Lord_Howe",
        "2026-10-02T00:00:00Z",
        2,
    );
    assert_eq!(
        howe,
        ["2026-10-04 02:30:00 +11:00", "2026-10-11 02:15:00 +11:00"]
    );
}

#[test]
fn a_time_that_comes_twice_runs_at_the_first_and_only_then() {
    let new_york = runs(
        "Sun 01:59:59",
        "America/New_York",
        "2026-10-30T00:00:00Z",
        2,
    );
    assert_eq!(
        new_york,
        ["2026-11-01 01:59:59 -04:00", "2026-11-08 01:59:59 -05:00"]
    );
    let howe = runs(
        "daily 01:45",
        "Australia/Lord_Howe",
        "2026-04-04T10:00:00Z",
        2,
    );
    assert_eq!(
        howe,
        ["2026-04-05 01:45:00 +11:00", "2026-04-06 01:45:00 +10:30"]
    );
}

#[test]
fn a_day_that_a_calendar_left_out_runs_when_the_next_begins() {
    let apia = runs("Fri 03:00", "Pacific/Apia", "2011-12-29T00:00:00Z", 2);
    assert_eq!(
        apia,
        ["2011-12-31 00:00:00 +14:00", "2012-01-06 03:00:00 +14:00"]
    );
}

#[test]
fn the_calendar_has_an_end_and_a_schedule_says_so() {
    let schedule = Schedule::parse("daily 00:00").unwrap();
    assert_eq!(schedule.next_after(Timestamp::MAX, &TimeZone::UTC), None);
}

#[test]
fn a_schedule_is_written_back_as_it_is_read() {
    for (given, shown) in [
        ("Sun 01:59:59", "Sun 01:59:59"),
        (" thu,MON  3:00 ", "Mon,Thu 03:00"),
        ("daily 03:00", "daily 03:00"),
        ("Mon,Tue,Wed,Thu,Fri,Sat,Sun 23:59", "daily 23:59"),
        ("every 14 days 3:00", "every 14 days 03:00"),
        ("Every 1 Day 03:00", "daily 03:00"),
        ("every 36 hours", "every 36 hours"),
        ("every 7200 seconds", "every 2 hours"),
        ("every 100000 seconds", "every 100000 seconds"),
        ("every 1 hour", "every 1 hour"),
    ] {
        assert_eq!(Schedule::parse(given).unwrap().to_string(), shown);
    }
}

#[test]
fn what_is_no_schedule_is_told_with_how_one_is_written() {
    for (given, word) in [
        ("", "is not a schedule: write"),
        ("Sun", "is not a schedule: write"),
        ("Sun 03:00 UTC", "is not a schedule: write"),
        ("Sunday 03:00", "`Sunday` is not a day: write"),
        ("Mon, 03:00", "`` is not a day: write"),
        ("every", "`every` is not an interval: write"),
        ("every 14 days", "is not an interval: write"),
        ("every 0 days 03:00", "is not an interval: write"),
        ("every 59 minutes", "is not an interval: write"),
        ("every 36 hours 03:00", "is not an interval: write"),
        ("every 4294967295 hours", "is not an interval: write"),
        ("every 2 days 25:00", "`25:00` is not a time of day: write"),
        ("Sun 24:00", "`24:00` is not a time of day: write"),
        ("Sun 3", "`3` is not a time of day: write"),
        ("Sun +3:00", "`+3:00` is not a time of day: write"),
        ("Sun 03:00:60", "`03:00:60` is not a time of day: write"),
        ("Sun 01:02:03:04", "is not a time of day: write"),
    ] {
        let told = Schedule::parse(given).unwrap_err().to_string();
        assert!(told.contains(word), "{given:?}: {told}");
    }
}
