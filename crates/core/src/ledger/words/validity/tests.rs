//! Rights at their first and last instants, case by case.

use super::*;
use jiff::civil::date;

fn wall(text: &str) -> Wall {
    Wall(
        text.parse::<Timestamp>()
            .map_or(0, Timestamp::as_millisecond),
    )
}

#[test]
fn a_day_is_valid_in_its_zone_from_its_first_instant_to_its_last() {
    let cases = [
        (
            "UTC",
            date(2026, 1, 31),
            "2026-01-31T00:00:00Z",
            "2026-02-01T00:00:00Z",
        ),
        (
            "Europe/Berlin",
            date(2026, 3, 29),
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        ),
        (
            "Asia/Kathmandu",
            date(2026, 1, 1),
            "2025-12-31T18:15:00Z",
            "2026-01-01T18:15:00Z",
        ),
        // The clocks of Beirut skip midnight: the day begins at one.
        (
            "Asia/Beirut",
            date(2026, 3, 29),
            "2026-03-28T22:00:00Z",
            "2026-03-29T21:00:00Z",
        ),
    ];
    for (zone, day, begins, ends) in cases {
        let bound = Bound::day(day, zone.into());
        assert_eq!(bound.begins(), wall(begins), "{zone}");
        assert_eq!(bound.ends(), wall(ends), "{zone}");
        assert_eq!(bound.date(), Some(day));
    }
}

#[test]
fn an_instant_is_itself_and_a_day_beyond_the_calendar_never_comes() {
    let at = Wall(1_795_706_414_592);
    assert_eq!((Bound::At(at).begins(), Bound::At(at).ends()), (at, at));
    let last = Bound::day(Date::MAX, "UTC".into());
    assert_eq!(last.ends(), Wall(Timestamp::MAX.as_millisecond()));
}

#[test]
fn what_begins_shortly_before_the_end_of_another_and_lasts_longer_takes_over_from_it() {
    let day = |day: i64| Some(Wall(day * 86_400_000));
    let year = (day(0), day(365));
    for next in [(day(364), day(730)), (day(359), None), (day(365), None)] {
        assert!(takes_over(next, year), "{next:?}");
    }
    // Too early, with the same beginning, no longer, always there.
    for next in [
        (day(358), None),
        (day(0), day(730)),
        (day(364), day(365)),
        (None, None),
    ] {
        assert!(!takes_over(next, year), "{next:?}");
    }
    assert!(takes_over((day(3), None), (day(2), day(4))));
    assert!(!takes_over((day(2), None), (day(3), day(4))));
    assert!(!takes_over((day(2), None), (day(1), None)));
}
