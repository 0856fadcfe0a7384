//! What roll-ups say equals what a look at every row says, for random histories in any zone.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod buckets;
mod histories;
mod items;
mod naive;
mod nodes;

use usher_core::usage::Span;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// A use of one seat, in minutes of Unix time.
pub(crate) fn minutes(from: i64, until: i64) -> Span {
    Span {
        from_ms: from * MINUTE_MS,
        until_ms: until * MINUTE_MS,
        seats: 1,
    }
}

/// Unix milliseconds.
pub(crate) fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}
