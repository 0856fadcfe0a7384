//! The time that a question about use is about.

use crate::base::clock::wall_ms;
use crate::wire::input;
use crate::wire::problem::Refusal;

/// Days where a request does not say.
const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// A time, in Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    /// Its first instant.
    pub(super) since: i64,
    /// The first instant behind it.
    pub(super) until: i64,
    /// When it is asked for.
    pub(super) now: i64,
}

impl Period {
    /// As a request says it; by default the last 30 days.
    pub(super) fn of(since: Option<&str>, until: Option<&str>) -> Result<Period, Refusal> {
        let now = wall_ms();
        let until = match until {
            Some(until) => input::until("until", until)?,
            // What begins at this very instant is in use now.
            None => now.saturating_add(1),
        };
        let since = match since {
            Some(since) => input::instant("since", since)?,
            None => until.saturating_sub(DAYS * DAY_MS),
        };
        match since < until {
            true => Ok(Period { since, until, now }),
            false => Err(Refusal::invalid(
                "`until` is not after `since`: exchange them, or correct them",
            )),
        }
    }
}
