//! Buckets follow the clock of their zone, even if it is changed.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use usher_core::usage::{BUCKETS_LIMIT, Bucket, Grain, TooManyBuckets, buckets};

use crate::{MINUTE_MS, at};

fn of(zone: &str, grain: Grain, from: &str, to: &str) -> Vec<Bucket> {
    buckets(at(from), at(to), grain, &TimeZone::get(zone).unwrap()).unwrap()
}

fn lengths_minutes(buckets: &[Bucket]) -> Vec<i64> {
    let lengths = buckets.iter().map(|it| (it.to_ms - it.from_ms) / MINUTE_MS);
    lengths.collect()
}

fn begins(buckets: &[Bucket]) -> Vec<i64> {
    buckets.iter().map(|bucket| bucket.from_ms).collect()
}

#[test]
fn a_day_has_as_many_hours_as_the_clock_gives_it() {
    let (from, to) = ("2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z");
    let days = of("Europe/Berlin", Grain::Day, from, to);
    assert_eq!(lengths_minutes(&days), [25 * 60, 24 * 60]);
    let hours = of("Europe/Berlin", Grain::Hour, from, "2026-10-25T23:00:00Z");
    assert_eq!(lengths_minutes(&hours), [60; 25]);
}

#[test]
fn a_change_of_half_an_hour_cuts_an_hour_in_two() {
    // 2026-04-05 on Lord Howe Island, where the clock is put back from 02:00 to 01:30.
    let (from, to) = ("2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z");
    let hours = lengths_minutes(&of("Australia/Lord_Howe", Grain::Hour, from, to));
    assert_eq!(hours[..4], [60, 60, 30, 60]);
    assert_eq!((hours.len(), hours.iter().sum::<i64>()), (25, 24 * 60 + 30));
    let days = of("Australia/Lord_Howe", Grain::Day, from, to);
    assert_eq!(lengths_minutes(&days), [24 * 60 + 30]);
}

#[test]
fn a_day_without_a_midnight_begins_when_the_clock_has_been_changed() {
    // Chile puts the clock forward at midnight.
    let (from, to) = ("2026-09-05T04:00:00Z", "2026-09-07T03:00:00Z");
    let days = of("America/Santiago", Grain::Day, from, to);
    assert_eq!(lengths_minutes(&days), [24 * 60, 23 * 60]);
}

#[test]
fn a_day_that_a_zone_left_out_is_no_bucket() {
    let (from, to) = ("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
    let days = of("Pacific/Apia", Grain::Day, from, to);
    assert_eq!(lengths_minutes(&days), [24 * 60, 24 * 60]);
}

#[test]
fn weeks_begin_on_monday_and_are_cut_where_the_question_is() {
    let (from, to) = ("2026-11-25T06:00:00Z", "2026-12-08T12:00:00Z");
    let weeks = of("Asia/Kathmandu", Grain::Week, from, to);
    let expected = [
        at(from),
        at("2026-11-29T18:15:00Z"),
        at("2026-12-06T18:15:00Z"),
    ];
    assert_eq!(begins(&weeks), expected);
    assert_eq!(weeks.last().unwrap().to_ms, at(to));
}

#[test]
fn months_are_those_of_the_calendar() {
    let (from, to) = ("2026-01-15T00:00:00Z", "2026-03-02T00:00:00Z");
    let months = of("America/St_Johns", Grain::Month, from, to);
    let expected = [
        at(from),
        at("2026-02-01T03:30:00Z"),
        at("2026-03-01T03:30:00Z"),
    ];
    assert_eq!(begins(&months), expected);
}

#[test]
fn a_day_whose_midnight_comes_twice_begins_at_the_first() {
    // Newfoundland put the clock back from 00:01 on Sunday to 23:01 on Saturday until 2011.
    let zone = "America/St_Johns";
    for from in ["2010-11-07T02:30:30Z", "2010-11-07T02:45:00Z"] {
        let days = of(zone, Grain::Day, from, "2010-11-09T00:00:00Z");
        assert_eq!(days[0].to_ms, at("2010-11-08T03:30:00Z"), "{from}");
        let weeks = of(zone, Grain::Week, from, "2010-11-20T00:00:00Z");
        let expected = [
            at(from),
            at("2010-11-08T03:30:00Z"),
            at("2010-11-15T03:30:00Z"),
        ];
        assert_eq!(begins(&weeks), expected, "{from}");
    }
}

#[test]
fn all_of_it_is_one_bucket_and_nothing_is_none() {
    let whole = buckets(5, 70, Grain::Whole, &TimeZone::UTC).unwrap();
    assert_eq!((whole.len(), whole[0].from_ms, whole[0].to_ms), (1, 5, 70));
    assert_eq!(buckets(5, 5, Grain::Hour, &TimeZone::UTC), Ok(Vec::new()));
}

#[test]
fn a_question_for_too_many_buckets_is_refused() {
    let hours = i64::try_from(BUCKETS_LIMIT).unwrap();
    let ask = |hours| buckets(0, hours * 60 * MINUTE_MS, Grain::Hour, &TimeZone::UTC);
    assert_eq!(ask(hours + 1), Err(TooManyBuckets));
    assert_eq!(ask(hours).map(|buckets| buckets.len()), Ok(BUCKETS_LIMIT));
}

proptest! {
    #[test]
    fn no_instant_is_too_far_for_a_bucket(from_ms in any::<i64>(), length_ms in 0_i64..1 << 40) {
        let to_ms = from_ms.saturating_add(length_ms);
        for grain in [Grain::Day, Grain::Week, Grain::Month, Grain::Whole] {
            let Ok(buckets) = buckets(from_ms, to_ms, grain, &TimeZone::UTC) else {
                continue;
            };
            prop_assert_eq!(buckets.is_empty(), from_ms == to_ms);
            for pair in buckets.windows(2) {
                prop_assert_eq!(pair[0].to_ms, pair[1].from_ms);
            }
        }
    }
}
