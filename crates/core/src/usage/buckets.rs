//! Hours, days, weeks and months on the clock of a time zone.
//!
//! An hour is one of the clock: if the clock is set back over it, there are two. A day lasts 23 or
//! 25 hours if the clock changes in it. A change in the middle of an hour cuts it in two. What
//! the calendar of a zone leaves out is no bucket.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

const HOUR_MS: i64 = 3_600_000;
/// Days that are looked at for one that begins later: a zone may have left one out (Samoa did in
/// 2011).
const DAYS_LOOKED_AT: i64 = 4;

/// Buckets that one question may have: ten years of hours.
pub const BUCKETS_LIMIT: usize = 100_000;

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grain {
    /// An hour of the clock.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday, as ISO 8601 has it.
    Week,
    /// A month of the calendar.
    Month,
    /// All of it in one.
    Whole,
}

/// A stretch of time that has figures of its own: a half-open interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// When it begins, in Unix milliseconds.
    pub from_ms: i64,
    /// When it ends, in Unix milliseconds.
    pub to_ms: i64,
}

/// There would be more buckets than one question may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the period has more than {BUCKETS_LIMIT} such stretches: choose a coarser grain or less time"
)]
pub struct TooManyBuckets;

/// Those from an instant to another, in order, without a gap. The first and the last are cut there.
/// None if the end is not after the beginning.
pub fn buckets(
    from_ms: i64,
    to_ms: i64,
    grain: Grain,
    zone: &TimeZone,
) -> Result<Vec<Bucket>, TooManyBuckets> {
    let mut buckets = Vec::new();
    let mut at_ms = from_ms;
    while at_ms < to_ms {
        if buckets.len() == BUCKETS_LIMIT {
            return Err(TooManyBuckets);
        }
        // Outside the calendar there is no boundary.
        let next_ms = boundary_after(at_ms, grain, zone).unwrap_or(to_ms);
        let end_ms = next_ms.clamp(at_ms.saturating_add(1), to_ms);
        buckets.push(Bucket {
            from_ms: at_ms,
            to_ms: end_ms,
        });
        at_ms = end_ms;
    }
    Ok(buckets)
}

/// The first boundary after an instant.
fn boundary_after(at_ms: i64, grain: Grain, zone: &TimeZone) -> Option<i64> {
    let at = Timestamp::from_millisecond(at_ms).ok()?;
    let date = zone.to_datetime(at).date();
    match grain {
        Grain::Whole => None,
        Grain::Hour => hour_after(at_ms, at, zone),
        Grain::Day => first_of(
            (1..=DAYS_LOOKED_AT).map(|days| later(date, days)),
            at_ms,
            zone,
        ),
        Grain::Week => {
            let left = 7 - i64::from(date.weekday().to_monday_zero_offset());
            first_of([left, left + 7].map(|days| later(date, days)), at_ms, zone)
        }
        Grain::Month => {
            let next = later(date.last_of_month(), 1);
            let after = next.and_then(|next| later(next.last_of_month(), 1));
            first_of([next, after], at_ms, zone)
        }
    }
}

fn later(date: Date, days: i64) -> Option<Date> {
    date.checked_add(days.days()).ok()
}

/// The end of the hour of an instant, or the change of the clock in it.
fn hour_after(at_ms: i64, at: Timestamp, zone: &TimeZone) -> Option<i64> {
    let offset = zone.to_offset(at);
    let offset_ms = i64::from(offset.seconds()) * 1_000;
    let passed_ms = at_ms.checked_add(offset_ms)?.rem_euclid(HOUR_MS);
    let end_ms = at_ms.checked_add(HOUR_MS - passed_ms)?;
    let end = Timestamp::from_millisecond(end_ms).ok()?;
    if zone.to_offset(end) == offset {
        return Some(end_ms);
    }
    let changes = zone
        .following(at)
        .take_while(|change| change.timestamp() <= end);
    let mut others = changes.filter(|change| change.offset() != offset);
    Some(
        others
            .next()
            .map_or(end_ms, |change| change.timestamp().as_millisecond()),
    )
}

/// The first beginning of one of these days that is after an instant. Where the clock is set back
/// over midnight, the next of them may have begun already.
fn first_of(
    dates: impl IntoIterator<Item = Option<Date>>,
    at_ms: i64,
    zone: &TimeZone,
) -> Option<i64> {
    let begins = dates.into_iter().flatten();
    let mut begins = begins.filter_map(|date| Some(begin_of(date, zone)?.as_millisecond()));
    begins.find(|begin_ms| *begin_ms > at_ms)
}

/// The first instant of a day; that of the change of the clock if this skips midnight.
fn begin_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let midnight = date.to_datetime(Time::midnight());
    match zone.to_ambiguous_timestamp(midnight).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(midnight).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(midnight).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset of after the gap, a time in it lies before the change.
            let before_change = after.to_timestamp(midnight).ok()?;
            Some(zone.following(before_change).next()?.timestamp())
        }
    }
}
