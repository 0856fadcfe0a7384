//! Which time a question about use is about, in which stretches, and where a page of it begins.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use usher_core::usage::{Bucket, Counted, Grain, buckets};
use usher_http::{input, shown};

use crate::app::App;
use crate::clock::wall_ms;
use crate::problem::Refusal;

/// How much time it is about if nothing is said.
const DEFAULT_MS: i64 = 30 * 86_400_000;
/// Of a time zone that has no name.
const UTC: &str = "UTC";

/// What a request says. Times are with the names by which they are said.
pub(in crate::routes) struct Said<'a> {
    pub(in crate::routes) grain: Option<&'a str>,
    pub(in crate::routes) from: Option<(&'static str, &'a str)>,
    pub(in crate::routes) to: Option<(&'static str, &'a str)>,
    pub(in crate::routes) time_zone: Option<&'a str>,
}

/// What it is about.
#[derive(Debug)]
pub(in crate::routes) struct Period {
    pub(in crate::routes) buckets: Vec<Bucket>,
    pub(in crate::routes) from_ms: i64,
    pub(in crate::routes) to_ms: i64,
    /// What still runs counts up to here.
    pub(in crate::routes) now_ms: i64,
    pub(in crate::routes) time_zone: String,
}

impl Said<'_> {
    /// The time, which on a later page is that of the first.
    pub(in crate::routes) fn period(
        &self,
        app: &App,
        cursor: Option<&Cursor>,
    ) -> Result<Period, Refusal> {
        let zone = match self.time_zone {
            None => site_zone(app),
            Some(name) => named_zone(name)?,
        };
        let grain = grain(self.grain)?;
        let (from_ms, to_ms, now_ms) = match cursor {
            Some(cursor) => (cursor.from_ms, cursor.to_ms, cursor.now_ms),
            None => self.time(&zone, wall_ms())?,
        };
        let buckets = buckets(from_ms, to_ms, grain, &zone)
            .map_err(|error| Refusal::invalid(error.to_string()))?;
        Ok(Period {
            buckets,
            from_ms,
            to_ms,
            now_ms,
            time_zone: zone.iana_name().unwrap_or(UTC).to_owned(),
        })
    }

    fn time(&self, zone: &TimeZone, now_ms: i64) -> Result<(i64, i64, i64), Refusal> {
        let to_ms = match self.to {
            None => now_ms,
            Some((name, text)) => match day(name, text)? {
                Some(day) => begin_of(name, text, day.checked_add(1.day()).ok(), zone)?,
                None => input::instant(name, text)?,
            },
        };
        let from_ms = match self.from {
            None => to_ms.saturating_sub(DEFAULT_MS),
            Some((name, text)) => match day(name, text)? {
                Some(day) => begin_of(name, text, Some(day), zone)?,
                None => input::instant(name, text)?,
            },
        };
        match from_ms < to_ms {
            true => Ok((from_ms, to_ms, now_ms)),
            false => Err(Refusal::invalid(
                "`to` is not after `from`: exchange them, or correct them",
            )),
        }
    }
}

/// The zone of the site's days. One without a name cannot be told, and would be taken for another.
fn site_zone(app: &App) -> TimeZone {
    let zone = app.tools.thresholds.get().zone().ok();
    let named = zone.filter(|zone| zone.iana_name().is_some());
    named.unwrap_or(TimeZone::UTC)
}

fn named_zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| {
        Refusal::invalid(format!(
            "`time_zone` is {}, which is no time zone known here: give a name such as \
             Europe/Berlin",
            shown(name)
        ))
    })
}

fn grain(name: Option<&str>) -> Result<Grain, Refusal> {
    match name {
        None => Ok(Grain::Whole),
        Some("hour") => Ok(Grain::Hour),
        Some("day") => Ok(Grain::Day),
        Some("week") => Ok(Grain::Week),
        Some("month") => Ok(Grain::Month),
        Some(other) => Err(Refusal::invalid(format!(
            "`grain` is {}: give hour, day, week or month, or leave it out",
            shown(other)
        ))),
    }
}

/// The day that is meant; none: it is no day, but perhaps an instant.
fn day(name: &str, text: &str) -> Result<Option<Date>, Refusal> {
    // The last days that there are mean that there is no end.
    if !input::is_day(text) || input::is_beyond(text) {
        return Ok(None);
    }
    let day = text.parse().map_err(|_| input::no_date(name, text))?;
    Ok(Some(day))
}

/// The first instant of a day in a zone.
fn begin_of(name: &str, text: &str, day: Option<Date>, zone: &TimeZone) -> Result<i64, Refusal> {
    let begin = day.and_then(|day| day.to_zoned_datetime(zone.clone()).ok());
    let begin = begin.map(|begin| begin.timestamp().as_millisecond());
    begin.ok_or_else(|| input::no_date(name, text).into())
}

/// Where a page begins: the time of all pages, and the stretch of a product. It is written as numbers
/// and the product's id, with points between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::routes) struct Cursor {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) now_ms: i64,
    /// The place of the stretch among those of its product.
    pub(super) place: usize,
    pub(super) counted: Counted,
    pub(super) product: String,
}

impl Cursor {
    /// The cursor of a stretch.
    pub(super) fn at(period: &Period, place: usize, counted: Counted, product: &str) -> Cursor {
        Cursor {
            from_ms: period.from_ms,
            to_ms: period.to_ms,
            now_ms: period.now_ms,
            place,
            counted,
            product: product.to_owned(),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = match self.counted {
            Counted::Here => "here",
            Counted::Elsewhere => "elsewhere",
        };
        write!(
            f,
            "{}.{}.{}.{}.{counted}.{}",
            self.from_ms, self.to_ms, self.now_ms, self.place, self.product
        )
    }
}

/// A text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::routes) struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Cursor, NoCursor> {
        let mut parts = text.splitn(6, '.');
        let mut next = || parts.next().ok_or(NoCursor);
        let instant = |text: &str| -> Result<i64, NoCursor> {
            let ms: i64 = text.parse().map_err(|_| NoCursor)?;
            Timestamp::from_millisecond(ms).map_err(|_| NoCursor)?;
            Ok(ms)
        };
        Ok(Cursor {
            from_ms: instant(next()?)?,
            to_ms: instant(next()?)?,
            now_ms: instant(next()?)?,
            place: next()?.parse().map_err(|_| NoCursor)?,
            counted: match next()? {
                "here" => Counted::Here,
                "elsewhere" => Counted::Elsewhere,
                _ => return Err(NoCursor),
            },
            product: next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(from: Option<&str>, to: Option<&str>, zone: &str) -> Option<(i64, i64)> {
        let said = Said {
            grain: None,
            from: from.map(|text| ("from", text)),
            to: to.map(|text| ("to", text)),
            time_zone: None,
        };
        let zone = TimeZone::get(zone).unwrap();
        let time = said.time(&zone, at("2026-11-30T20:00:00Z")).ok()?;
        Some((time.0, time.1))
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn days_are_those_of_the_zone_and_the_last_one_is_in_it() {
        let found = time(Some("2026-10-25"), Some("2026-10-25"), "Europe/Berlin");
        let expected = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
        assert_eq!(found, Some(expected));
        let instants = ("2026-10-25T01:00:00Z", "2026-10-25T02:00:00+01:00");
        assert_eq!(time(Some(instants.0), Some(instants.1), "UTC"), None);
        let found = time(None, None, "UTC").unwrap();
        assert_eq!(found.1 - found.0, DEFAULT_MS);
        assert_eq!(time(Some("2026-02-30"), None, "UTC"), None);
        assert!(time(None, Some("9999-12-31"), "UTC").is_some());
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_whatever_the_product_is_called() {
        for product in ["cad", "", "a.b.c", "vendor:x%20y é"] {
            let cursor = Cursor {
                from_ms: -5,
                to_ms: 7,
                now_ms: 9,
                place: 3,
                counted: Counted::Elsewhere,
                product: product.to_owned(),
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for odd in ["", "1.2.3.4.here", "1.2.3.-4.here.cad", "1.2.3.4.there.cad"] {
            assert_eq!(odd.parse::<Cursor>(), Err(NoCursor), "{odd}");
        }
        let beyond = format!("{}.2.3.4.here.cad", i64::MIN);
        assert_eq!(beyond.parse::<Cursor>(), Err(NoCursor));
    }
}
