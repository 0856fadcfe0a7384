//! What is of concern of what another licence server counts: seats, entitlements that end, and a
//! source of which nothing comes any more.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::figures::minute;
use super::kinds::{Concern, Kind};
use super::thresholds::Thresholds;

const HOUR_MS: i64 = 3_600_000;
/// A source of which nothing came for so long is considered gone for good.
const GONE_MS: i64 = 90 * 24 * HOUR_MS;
/// A source is expected to go on if it came in so many times within the week before the last time ...
const REGULAR_IMPORTS: u64 = 10;
/// ... or on so many days of it.
const REGULAR_DAYS: u64 = 3;
/// What begins so many days before another ends, and goes on, takes over.
const TAKES_OVER_DAYS: i32 = 7;

/// What a site knows of one source: another licence server, as imported files tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFacts {
    /// When it is judged; Unix milliseconds, wall clock.
    pub at_ms: i64,
    /// The source.
    pub source: String,
    /// The seats of its products; none: nothing recent is known, so that nothing follows.
    pub seats: Option<SourceSeats>,
    /// What is owned, with a first or a last day.
    pub entitlements: Vec<SourceEntitlement>,
    /// When its last import was finished; Unix milliseconds, wall clock.
    pub imported_ms: i64,
    /// Imports of it that were finished within the week before that, that one included.
    pub imports_of_week: u64,
    /// On how many days that was.
    pub days_of_week: u64,
}

/// The seats of a source's products.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSeats {
    /// The last instant of which the source tells; Unix milliseconds.
    pub until_ms: i64,
    /// Products of which seats and use are told.
    pub products: Vec<SeatsFact>,
}

/// Seats of a product that another licence server counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatsFact {
    /// The id of the product.
    pub product: String,
    /// Seats.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
}

/// What is owned by the word of an imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEntitlement {
    /// The id of the product.
    pub product: String,
    /// Its seats, overdraft included.
    pub seats: u64,
    /// Its first day; none: it was always valid.
    pub from: Option<Date>,
    /// Its last day; none: it has no end.
    pub to: Option<Date>,
}

/// The concerns about a source that follow from one look.
pub(super) fn judge(facts: &SourceFacts, thresholds: &Thresholds) -> Vec<Concern> {
    let mut concerns = ends(facts, thresholds.entitlement_days);
    concerns.extend(silent(facts, thresholds.source_hours));
    concerns
}

/// Entitlements that end within so many days and take seats away: one concern for each product and
/// day.
fn ends(facts: &SourceFacts, days: u32) -> Vec<Concern> {
    let Ok(at) = Timestamp::from_millisecond(facts.at_ms) else {
        return Vec::new();
    };
    let today = TimeZone::UTC.to_datetime(at).date();
    let Some(horizon) = later(today, i32::try_from(days).unwrap_or(i32::MAX)) else {
        return Vec::new();
    };
    let is_soon = |day: &Date| days > 0 && *day >= today && *day <= horizon;
    let ending = facts.entitlements.iter().filter_map(|it| {
        let day = it.to.filter(is_soon)?;
        Some((&*it.product, day))
    });
    let ending: BTreeSet<(&str, Date)> = ending.collect();
    let concern = |(product, day): (&str, Date)| {
        let of_it = || {
            facts
                .entitlements
                .iter()
                .filter(move |it| it.product == product)
        };
        let next = later(day, 1)?;
        let renewed_from = later(day, -TAKES_OVER_DAYS)?;
        let is_renewal = |it: &SourceEntitlement| {
            it.from.is_some_and(|from| from > renewed_from) && it.to.is_none_or(|to| to > day)
        };
        let before = of_it().filter(|it| is_valid(it, day) && !is_renewal(it));
        let before: u64 = before.map(|it| it.seats).sum();
        let after: u64 = of_it()
            .filter(|it| is_valid(it, next))
            .map(|it| it.seats)
            .sum();
        let ends: u64 = of_it()
            .filter(|it| it.to == Some(day))
            .map(|it| it.seats)
            .sum();
        (after < before).then(|| Concern {
            kind: Kind::EndsElsewhere,
            about: format!("{product}/{day}"),
            values: vec![
                ends.to_string(),
                product.to_owned(),
                facts.source.clone(),
                day.to_string(),
                after.to_string(),
            ],
        })
    };
    ending.into_iter().filter_map(concern).collect()
}

fn is_valid(it: &SourceEntitlement, day: Date) -> bool {
    it.from.is_none_or(|from| from <= day) && it.to.is_none_or(|to| to >= day)
}

fn later(day: Date, days: i32) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// A source that came in regularly, and does not any more. A file that was imported once, or now and
/// then, is expected by nobody.
fn silent(facts: &SourceFacts, hours: u32) -> Option<Concern> {
    let is_regular = facts.imports_of_week >= REGULAR_IMPORTS || facts.days_of_week >= REGULAR_DAYS;
    let silent_ms = facts.at_ms.saturating_sub(facts.imported_ms);
    let from_ms = i64::from(hours) * HOUR_MS;
    let is_silent = hours > 0 && (from_ms..GONE_MS).contains(&silent_ms);
    (is_regular && is_silent).then(|| Concern {
        kind: Kind::SourceSilent,
        about: String::new(),
        values: vec![facts.source.clone(), minute(facts.imported_ms)],
    })
}
