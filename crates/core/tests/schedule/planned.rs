//! A job by its schedule: once for each date, whatever is done to the clock it goes by.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use usher_core::schedule::{Planned, Schedule};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn planned(schedule: &str, zone: &str, now: &str) -> Planned {
    let schedule = Schedule::parse(schedule).unwrap();
    Planned::new(schedule, TimeZone::get(zone).unwrap(), at(now))
}

#[test]
fn a_year_watched_minute_by_minute_has_each_weeks_run_once() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] {
        for schedule in ["Sun 01:59:59", "Sun 02:15", "Sun 01:30"] {
            let mut job = planned(schedule, zone, "2026-01-01T00:00:00Z");
            let (mut now, end) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
            let mut runs = Vec::new();
            while now < end {
                if job.is_due(now) {
                    job.pass(now);
                    let place = TimeZone::get(zone).unwrap();
                    runs.push(place.to_datetime(now).date());
                }
                assert!(!job.settle(now));
                now = now.checked_add(1.minute()).unwrap();
            }
            assert_eq!(runs.len(), 52, "{schedule} in {zone}");
            runs.dedup();
            assert_eq!(runs.len(), 52, "{schedule} in {zone}: twice on one day");
        }
    }
}

#[test]
fn runs_that_were_missed_are_made_up_for_by_one() {
    let mut job = planned("Sun 01:59:59", "UTC", "2026-01-01T00:00:00Z");
    let now = at("2026-03-04T12:00:00Z");
    assert!(job.is_due(now));
    job.pass(now);
    assert!(!job.is_due(now));
    assert_eq!(job.next(), Some(at("2026-03-08T01:59:59Z")));
}

#[test]
fn a_clock_that_is_set_back_over_a_run_brings_it_no_second_time() {
    let mut job = planned("Sun 01:59:59", "UTC", "2026-01-01T00:00:00Z");
    job.pass(at("2026-01-04T02:00:00Z"));
    let before = at("2026-01-03T23:00:00Z");
    assert!(!job.settle(before) && !job.is_due(before));
    assert!(!job.is_due(at("2026-01-04T02:00:00Z")));
    assert_eq!(job.next(), Some(at("2026-01-11T01:59:59Z")));
}

#[test]
fn a_date_from_a_clock_that_was_years_ahead_is_given_up() {
    let mut job = planned("Sun 01:59:59", "UTC", "2026-01-01T00:00:00Z");
    job.pass(at("2031-01-01T00:00:00Z"));
    assert!(job.settle(at("2026-01-05T00:00:00Z")));
    assert_eq!(job.next(), Some(at("2026-01-11T01:59:59Z")));
}

#[test]
fn what_runs_every_so_often_keeps_step_with_a_run_of_before_or_after() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let now = at("2026-03-20T12:00:00Z");
    for (schedule, run, next) in [
        (
            "every 14 days 01:59:59",
            "2026-03-15T00:59:59Z",
            "2026-03-29T00:59:59Z",
        ),
        (
            "every 36 hours",
            "2026-03-20T00:00:00Z",
            "2026-03-21T12:00:00Z",
        ),
        (
            "every 36 hours",
            "2026-04-01T00:00:00Z",
            "2026-03-21T12:00:00Z",
        ),
    ] {
        let schedule = Schedule::parse(schedule).unwrap();
        let job = Planned::in_step(schedule, zone.clone(), at(run), now);
        assert_eq!(job.next(), Some(at(next)));
    }
}

#[test]
fn every_so_many_days_keeps_its_local_time_where_the_clock_changes() {
    let mut job = planned(
        "every 2 days 02:30",
        "Europe/Berlin",
        "2026-03-26T12:00:00Z",
    );
    let mut runs = Vec::new();
    for _ in 0..3 {
        let next = job.next().unwrap();
        runs.push(next.to_string());
        job.pass(next);
    }
    // On 29 March 02:30 is skipped there.
    let expected = [
        "2026-03-27T01:30:00Z",
        "2026-03-29T01:00:00Z",
        "2026-03-31T00:30:00Z",
    ];
    assert_eq!(runs, expected);
}
