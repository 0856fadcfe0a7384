//! Schedules beside the calendar itself: over zones and years, each day named by a schedule has
//! one run and no other run happens.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use usher_core::schedule::Schedule;

const ZONES: &[&str] = &[
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
];
const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(ZONES).prop_map(|name| TimeZone::get(name).unwrap())
}

/// Mostly in the hours in which clocks are changed.
fn time() -> impl Strategy<Value = Time> {
    let hour = prop_oneof![4 => 0..4_i8, 1 => 4..24_i8];
    (hour, 0..60_i8, 0..60_i8).prop_map(|(h, m, s)| Time::new(h, m, s, 0).unwrap())
}

/// The first instant of a day at which its clock shows a time or, if it skips it, a later one:
/// found by walking the day second by second, as somebody would who watches the clock.
fn watched(date: Date, time: Time, zone: &TimeZone) -> Timestamp {
    let naive = date.to_datetime(time);
    let utc = TimeZone::UTC.to_timestamp(naive).unwrap();
    let shows = |at: Timestamp| zone.to_datetime(at) >= naive;
    let mut at = utc.checked_sub(15.hours()).unwrap();
    for step in [1_800_i64, 60, 1] {
        while !shows(at) {
            at = at.checked_add(step.seconds()).unwrap();
        }
        at = match step {
            1 => at,
            step => at.checked_sub(step.seconds()).unwrap(),
        };
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_year_has_one_run_for_each_day_and_at_the_moment_a_watcher_would_say(
        zone in zone(), time in time(), year in 1990..2060_i16,
    ) {
        let schedule = Schedule::daily(time);
        let first = Date::new(year, 1, 1).unwrap();
        let mut now = watched(first, time, &zone).checked_sub(1.second()).unwrap();
        for day in 0..365_i64 {
            let run = schedule.next_after(now, &zone).unwrap();
            let date = first.checked_add(day.days()).unwrap();
            prop_assert_eq!(run, watched(date, time, &zone), "{}", date);
            now = run;
        }
    }

    #[test]
    fn a_weekly_run_comes_once_a_week_whenever_it_is_asked_for(
        zone in zone(),
        time in time(),
        day in prop::sample::select(WEEKDAYS.to_vec()),
        start in 631_152_000..2_840_000_000_i64,
        askings in prop::collection::vec(1..200_000_i64, 1..40),
    ) {
        let schedule = Schedule::weekly(day, time);
        let mut now = Timestamp::from_second(start).unwrap();
        let mut due = schedule.next_after(now, &zone).unwrap();
        for seconds in askings {
            let before = now;
            now = now.checked_add(seconds.seconds()).unwrap();
            let next = schedule.next_after(now, &zone).unwrap();
            prop_assert!(next > now && now >= before);
            if due > now {
                prop_assert_eq!(next, due, "asking changes nothing");
                continue;
            }
            let shown = zone.to_datetime(next).date();
            let shown_before = zone.to_datetime(due).date();
            prop_assert_eq!(shown.weekday(), day);
            prop_assert_eq!(shown_before.until(shown).unwrap().get_days(), 7);
            due = next;
        }
    }
}
