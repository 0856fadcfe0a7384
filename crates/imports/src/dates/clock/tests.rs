//! Days, midnights and clocks that are set.

use jiff::civil::{date, time};

use super::*;

fn reference(file_time: &str) -> Reference {
    Reference {
        file_time: file_time.parse().expect("an instant"),
        first_day: None,
        zone: None,
        site_zone: TimeZone::UTC,
    }
}

fn at(clock: &mut LogClock, hour: i8, minute: i8) -> (String, Option<i64>) {
    let before = clock.tick(time(hour, minute, 0, 0));
    let (moment, set) = clock.moment();
    let instant = clock.instant(moment).expect("a date is known");
    (instant.to_string(), before.or(set))
}

#[test]
fn without_any_date_the_last_line_is_of_the_files_own_time() {
    let mut clock = LogClock::new(reference("2021-03-02T08:00:00Z"));
    clock.tick(time(23, 0, 0, 0));
    let (first, _) = clock.moment();
    clock.tick(time(7, 0, 0, 0));
    let (last, _) = clock.moment();
    assert_eq!(clock.instant(first), None);
    clock.assume_file_time();
    assert_eq!(
        clock.found().map(|found| found.from),
        Some(DatesFrom::FileTime)
    );
    let instant = |moment| clock.instant(moment).expect("an instant").to_string();
    assert_eq!(instant(first), "2021-03-01T23:00:00Z");
    assert_eq!(instant(last), "2021-03-02T07:00:00Z");
}

#[test]
fn a_last_line_later_than_the_files_time_of_day_is_of_the_day_before() {
    let mut clock = LogClock::new(reference("2021-03-02T08:00:00Z"));
    clock.tick(time(9, 0, 0, 0));
    let (only, _) = clock.moment();
    clock.assume_file_time();
    let instant = clock.instant(only).expect("an instant");
    assert_eq!(instant.to_string(), "2021-03-01T09:00:00Z");
}

#[test]
fn the_first_date_also_dates_the_lines_before_it() {
    let mut clock = LogClock::new(reference("2030-01-01T00:00:00Z"));
    clock.tick(time(22, 0, 0, 0));
    let (first, _) = clock.moment();
    clock.tick(time(1, 0, 0, 0));
    assert_eq!(
        clock.anchor(date(2021, 3, 2), DatesFrom::Timestamp, false),
        None
    );
    let instant = clock.instant(first).expect("an instant");
    assert_eq!(instant.to_string(), "2021-03-01T22:00:00Z");
}

#[test]
fn a_line_of_yesterday_behind_one_of_today_stays_yesterdays() {
    let mut reference = reference("2030-01-01T00:00:00Z");
    reference.first_day = Some(date(2021, 3, 1));
    let mut clock = LogClock::new(reference);
    at(&mut clock, 23, 59);
    assert_eq!(at(&mut clock, 0, 0).0, "2021-03-02T00:00:00Z");
    clock.tick(time(23, 59, 58, 0));
    let (moment, _) = clock.moment();
    let instant = clock.instant(moment).expect("an instant");
    assert_eq!(instant.to_string(), "2021-03-01T23:59:58Z");
    assert_eq!(at(&mut clock, 0, 1).0, "2021-03-02T00:01:00Z");
}

#[test]
fn a_short_step_back_between_regular_dates_is_a_clock_that_was_set() {
    let mut clock = LogClock::new(reference("2030-01-01T00:00:00Z"));
    clock.tick(time(10, 0, 0, 0));
    clock.anchor(date(2021, 3, 1), DatesFrom::Timestamp, false);
    assert_eq!(
        at(&mut clock, 11, 0),
        ("2021-03-01T11:00:00Z".to_owned(), None)
    );
    let expected = ("2021-03-01T10:30:00Z".to_owned(), Some(-1800));
    assert_eq!(at(&mut clock, 10, 30), expected);
}

#[test]
fn a_step_back_is_the_next_day_if_the_next_date_says_so() {
    let mut clock = LogClock::new(reference("2030-01-01T00:00:00Z"));
    clock.tick(time(10, 0, 0, 0));
    clock.anchor(date(2021, 3, 1), DatesFrom::Timestamp, false);
    clock.tick(time(9, 30, 0, 0));
    assert_eq!(
        clock.anchor(date(2021, 3, 2), DatesFrom::StartDate, true),
        None
    );
    assert_eq!(at(&mut clock, 9, 31).0, "2021-03-02T09:31:00Z");
}

#[test]
fn a_date_that_jumps_without_a_start_is_a_clock_that_was_set() {
    let mut clock = LogClock::new(reference("2030-01-01T00:00:00Z"));
    clock.tick(time(10, 0, 0, 0));
    clock.anchor(date(2021, 3, 1), DatesFrom::Timestamp, false);
    clock.tick(time(10, 5, 0, 0));
    let set = clock.anchor(date(2021, 3, 3), DatesFrom::Timestamp, false);
    assert_eq!(set, Some(2 * DAY_SECONDS));
    clock.tick(time(10, 6, 0, 0));
    let set = clock.anchor(date(2021, 3, 1), DatesFrom::Timestamp, false);
    assert_eq!(set, Some(-2 * DAY_SECONDS));
}

#[test]
fn the_hour_that_summer_time_repeats_is_no_clock_that_was_set() {
    let mut reference = reference("2030-01-01T00:00:00Z");
    reference.zone = Some(TimeZone::get("Europe/Berlin").expect("a zone"));
    let mut clock = LogClock::new(reference);
    clock.tick(time(1, 0, 0, 0));
    clock.anchor(date(2021, 10, 31), DatesFrom::Timestamp, false);
    assert_eq!(
        at(&mut clock, 2, 50),
        ("2021-10-31T00:50:00Z".to_owned(), None)
    );
    assert_eq!(
        at(&mut clock, 2, 10),
        ("2021-10-31T01:10:00Z".to_owned(), None)
    );
    assert_eq!(
        at(&mut clock, 2, 55),
        ("2021-10-31T01:55:00Z".to_owned(), None)
    );
    assert_eq!(
        at(&mut clock, 3, 5),
        ("2021-10-31T02:05:00Z".to_owned(), None)
    );
}

#[test]
fn the_first_date_corrects_a_day_that_was_assumed_without_a_clock_being_set() {
    let mut clock = LogClock::new(reference("2021-03-09T12:00:00Z"));
    clock.tick(time(10, 0, 0, 0));
    clock.assume_file_time();
    clock.tick(time(11, 0, 0, 0));
    let set = clock.anchor(date(2021, 3, 1), DatesFrom::Timestamp, false);
    assert_eq!(set, None);
    assert_eq!(at(&mut clock, 11, 30).0, "2021-03-01T11:30:00Z");
    let from = clock.found().map(|found| found.from);
    assert_eq!(from, Some(DatesFrom::FileTime));
}
