//! Prices, and how much of one falls on a stretch of time.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use usher_api::{Entitlement, Per, Price, Timestamp};

use crate::words::money;

/// Prices as people read them: `1200 EUR a year, 5 USD once`; none if there are none.
pub(crate) fn prices(prices: &[Price]) -> Option<String> {
    let texts: Vec<String> = prices.iter().map(price).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn price(price: &Price) -> String {
    let amount = money(price.amount.ten_thousandths);
    format!("{amount} {} {}", price.currency, per(price.per))
}

/// The period of a price, in words.
pub(crate) fn per(per: Per) -> &'static str {
    match per {
        Per::Year => "a year",
        Per::Month => "a month",
        Per::Once => "once",
    }
}

/// How much of a price falls on a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Falls {
    /// So many ten-thousandths of the currency's unit.
    Of(u64),
    /// Nobody knows when it was paid.
    NotKnown,
}

/// How much of what an entitlement costs falls on the time from an instant to another, by the
/// calendar of a zone. An amount a year or a month falls evenly on each year or month of its
/// validity; one that is paid once falls evenly on all of the validity, or, if that has no end, on
/// the instant at which it begins.
pub(crate) fn falls_on(
    it: &Entitlement,
    price: &Price,
    (from, to): (Timestamp, Timestamp),
    zone: &TimeZone,
) -> Falls {
    let begin = it.from.map_or(from, |valid| valid.max(from));
    let end = it.to.map_or(to, |valid| valid.min(to));
    let amount = i128::from(price.amount.ten_thousandths);
    let share = match (price.per, it.from, it.to) {
        (Per::Once, None, _) => return Falls::NotKnown,
        (Per::Once, Some(valid), None) => {
            let is_in_time = from <= valid && valid < to;
            return Falls::Of(match is_in_time {
                true => price.amount.ten_thousandths,
                false => 0,
            });
        }
        _ if begin >= end => return Falls::Of(0),
        (Per::Once, Some(valid), Some(until)) => {
            let length = ms(until) - ms(valid);
            part(amount, ms(end) - ms(begin), length)
        }
        (Per::Year, ..) => between(amount, (begin, end), zone, year),
        (Per::Month, ..) => between(amount, (begin, end), zone, month),
    };
    Falls::Of(u64::try_from(share).unwrap_or(0))
}

/// A place in the calendar: the number of a year or month, and how far into it, in milliseconds of
/// its length.
struct Place {
    number: i128,
    into: i128,
    length: i128,
}

/// The amount for each number, by how many numbers and parts of them lie between.
fn between(
    amount: i128,
    (begin, end): (Timestamp, Timestamp),
    zone: &TimeZone,
    place: fn(Timestamp, &TimeZone) -> Place,
) -> i128 {
    let (begin, end) = (place(begin, zone), place(end, zone));
    let whole = amount * (end.number - begin.number);
    whole + part(amount, end.into, end.length) - part(amount, begin.into, begin.length)
}

/// A part of an amount, rounded to the nearest ten-thousandth.
fn part(amount: i128, of: i128, all: i128) -> i128 {
    let all = all.max(1);
    (amount * of * 2 + all) / (all * 2)
}

fn year(at: Timestamp, zone: &TimeZone) -> Place {
    let day = at.to_zoned_datetime(zone.clone()).date();
    let first = date(day.year(), 1, 1);
    let next = day
        .year()
        .checked_add(1)
        .and_then(|it| Date::new(it, 1, 1).ok());
    stretch(at, zone, i128::from(day.year()), (first, next))
}

fn month(at: Timestamp, zone: &TimeZone) -> Place {
    let day = at.to_zoned_datetime(zone.clone()).date();
    let next = day.last_of_month().tomorrow().ok();
    let number = i128::from(day.year()) * 12 + i128::from(day.month());
    stretch(at, zone, number, (day.first_of_month(), next))
}

/// At the end of the calendar the last stretch has the length of the time so far.
fn stretch(
    at: Timestamp,
    zone: &TimeZone,
    number: i128,
    (first, next): (Date, Option<Date>),
) -> Place {
    let begin = |day: Date| {
        let begin = day.to_zoned_datetime(zone.clone()).ok()?;
        Some(ms(begin.timestamp()))
    };
    let first = begin(first).unwrap_or(ms(at));
    let into = (ms(at) - first).max(0);
    let next = next.and_then(begin).unwrap_or(ms(at));
    Place {
        number,
        into,
        length: (next - first).max(into),
    }
}

fn ms(at: Timestamp) -> i128 {
    i128::from(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usher_api::{Amount, Metric};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entitlement(from: Option<&str>, to: Option<&str>) -> Entitlement {
        Entitlement {
            id: "E1".to_owned(),
            product: "cad".to_owned(),
            metric: Metric::Concurrent,
            seats: 5,
            overdraft: 0,
            from: from.map(at),
            to: to.map(at),
            from_day: None,
            to_day: None,
            time_zone: None,
            in_use: 0,
            allotment: String::new(),
            name: None,
            price: None,
            contract: None,
            cost_centre: None,
            notice_days: None,
            note: None,
        }
    }

    fn priced(ten_thousandths: u64, per: Per) -> Price {
        Price {
            amount: Amount { ten_thousandths },
            currency: "EUR".to_owned(),
            per,
        }
    }

    fn falls(it: &Entitlement, per: Per, from: &str, to: &str) -> Falls {
        let zone = TimeZone::UTC;
        falls_on(it, &priced(12_000_000, per), (at(from), at(to)), &zone)
    }

    #[test]
    fn whole_years_and_months_cost_what_the_price_says() {
        let always = entitlement(None, None);
        let year = ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
        assert_eq!(
            falls(&always, Per::Year, year.0, year.1),
            Falls::Of(12_000_000)
        );
        assert_eq!(
            falls(&always, Per::Month, year.0, year.1),
            Falls::Of(144_000_000)
        );
        let february = ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
        let month = falls(&always, Per::Month, february.0, february.1);
        assert_eq!(month, Falls::Of(12_000_000));
    }

    #[test]
    fn only_the_time_of_validity_costs() {
        let half = entitlement(Some("2026-02-15T00:00:00Z"), Some("2026-06-01T00:00:00Z"));
        let february = ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
        let month = falls(&half, Per::Month, february.0, february.1);
        assert_eq!(month, Falls::Of(6_000_000));
        let later = falls(
            &half,
            Per::Month,
            "2026-07-01T00:00:00Z",
            "2026-08-01T00:00:00Z",
        );
        assert_eq!(later, Falls::Of(0));
    }

    #[test]
    fn what_is_paid_once_falls_on_its_validity_or_on_its_beginning() {
        let ten_days = entitlement(Some("2026-01-01T00:00:00Z"), Some("2026-01-11T00:00:00Z"));
        let one = falls(
            &ten_days,
            Per::Once,
            "2026-01-02T00:00:00Z",
            "2026-01-03T00:00:00Z",
        );
        assert_eq!(one, Falls::Of(1_200_000));
        let for_ever = entitlement(Some("2026-01-01T00:00:00Z"), None);
        let in_it = falls(
            &for_ever,
            Per::Once,
            "2026-01-01T00:00:00Z",
            "2026-01-02T00:00:00Z",
        );
        assert_eq!(in_it, Falls::Of(12_000_000));
        let after = falls(
            &for_ever,
            Per::Once,
            "2026-01-02T00:00:00Z",
            "2026-01-03T00:00:00Z",
        );
        assert_eq!(after, Falls::Of(0));
        let unknown = entitlement(None, None);
        let never = falls(
            &unknown,
            Per::Once,
            "2026-01-02T00:00:00Z",
            "2026-01-03T00:00:00Z",
        );
        assert_eq!(never, Falls::NotKnown);
    }

    proptest! {
        /// What falls on a time is what falls on its parts, but for rounding.
        #[test]
        fn a_time_costs_what_its_parts_cost(
            days in prop::collection::vec(0_i64..40_000, 3),
            amount in 0_u64..1_000_000_000_000_000,
            per in prop::sample::select(vec![Per::Year, Per::Month]),
        ) {
            let mut days = days;
            days.sort_unstable();
            let instant = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
            let always = entitlement(None, None);
            let cost = |from: i64, to: i64| {
                let time = (instant(from), instant(to));
                match falls_on(&always, &priced(amount, per), time, &TimeZone::UTC) {
                    Falls::Of(cost) => cost,
                    Falls::NotKnown => unreachable!(),
                }
            };
            let whole = cost(days[0], days[2]);
            let parts = cost(days[0], days[1]) + cost(days[1], days[2]);
            prop_assert!(whole.abs_diff(parts) <= 1, "{whole} {parts}");
        }
    }
}
