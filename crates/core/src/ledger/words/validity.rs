//! From when and until when a right holds: an instant, or a day as people write it.
//!
//! A day stays a day: it is kept with the zone in which it was meant, and becomes an instant only
//! when the calendar is asked, by the rules of the zone as they are then.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ledger::words::ids::Wall;

/// One end of a validity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bound {
    /// This instant.
    At(Wall),
    /// A day, inclusive at both ends of a validity.
    Day {
        /// Year, from -9999 to 9999.
        year: i16,
        /// Month, from 1.
        month: i8,
        /// Day of the month, from 1.
        day: i8,
        /// The IANA name of the time zone in which it is meant.
        zone: Arc<str>,
    },
}

impl Bound {
    /// The day in that zone.
    pub fn day(date: Date, zone: Arc<str>) -> Bound {
        Bound::Day {
            year: date.year(),
            month: date.month(),
            day: date.day(),
            zone,
        }
    }

    /// The day as it is written; none for an instant.
    pub fn date(&self) -> Option<Date> {
        match self {
            Bound::At(_) => None,
            Bound::Day {
                year, month, day, ..
            } => Date::new(*year, *month, *day).ok(),
        }
    }

    /// The zone in which a day is meant; none for an instant.
    pub fn zone(&self) -> Option<&Arc<str>> {
        match self {
            Bound::At(_) => None,
            Bound::Day { zone, .. } => Some(zone),
        }
    }

    /// The first instant of validity, if it begins with this.
    pub fn begins(&self) -> Wall {
        self.resolve(false)
    }

    /// The first instant of validity no more, if it ends with this.
    pub fn ends(&self) -> Wall {
        self.resolve(true)
    }

    fn resolve(&self, behind: bool) -> Wall {
        match self {
            Bound::At(at) => *at,
            Bound::Day { zone, .. } => {
                let date = self.date();
                let date = date.and_then(|date| {
                    if behind {
                        date.tomorrow().ok()
                    } else {
                        Some(date)
                    }
                });
                // Beyond the calendar: never has begun, never ends.
                let Some(date) = date else {
                    return Wall(Timestamp::MAX.as_millisecond());
                };
                // A zone that this computer no longer knows is read as UTC: the day stays right
                // to within half a day. A new bound in a zone that is not known is refused.
                let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
                // The first instant of the day, even if the clocks skip midnight.
                match date.to_zoned_datetime(zone) {
                    Ok(midnight) => Wall(midnight.timestamp().as_millisecond()),
                    Err(_) => Wall(Timestamp::MAX.as_millisecond()),
                }
            }
        }
    }
}

/// What begins so shortly before the end of another takes over from it: people write the same day
/// as the end of the one and the beginning of the other, and days are inclusive.
const HANDOVER_MS: i64 = 7 * 86_400_000;

/// From when and until when something is valid; none: always was, for ever.
pub type Validity = (Option<Wall>, Option<Wall>);

/// Whether what is valid at `next` takes over from what is valid at `it`: it begins later, at most
/// seven days before the other's end, and lasts longer.
pub fn takes_over(next: Validity, it: Validity) -> bool {
    let (Some(begins), Some(ends)) = (next.0, it.1) else {
        return false;
    };
    let lasts_longer = next.1.is_none_or(|last| last > ends);
    let begins_later = it.0.is_none_or(|from| begins > from);
    lasts_longer && begins_later && begins.0 > ends.0.saturating_sub(HANDOVER_MS)
}

#[cfg(test)]
mod tests;
