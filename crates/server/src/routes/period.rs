//! Which use a question is about: of what, whose, and in which time.

use usher_api::{OfTime, Only};
use usher_store::UsageFilter;

use super::Caller;
use crate::access::whose::Whose;
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;

/// Days if a request does not say.
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

    /// As an answer tells it, with since when uses are recorded.
    pub(super) fn told(self, recorded_since: Option<i64>) -> OfTime {
        OfTime {
            since: timestamp(self.since),
            until: timestamp(self.until),
            recorded_since: recorded_since.map(timestamp),
        }
    }
}

/// What a request says of the use that it asks for.
pub(super) struct Said {
    pub(super) product: Option<String>,
    pub(super) realm: Option<String>,
    pub(super) account: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
}

/// The use that a request asks for, as far as who asks may see it.
pub(super) struct OfUse {
    pub(super) filter: UsageFilter,
    pub(super) period: Period,
    /// What ended before this Unix millisecond may have been removed from the record.
    pub(super) kept_from: i64,
    /// Whose alone it is, if who asks may see no other.
    pub(super) only: Option<Only>,
}

impl Said {
    /// The use that is meant.
    pub(super) fn by(self, caller: &Caller, app: &App) -> Result<OfUse, Refusal> {
        let (realm, account) = (self.realm.as_deref(), self.account.as_deref());
        let whose = Whose::of(caller, realm, account, app.local_accounts)?;
        let only = whose.only();
        let period = Period::of(self.since.as_deref(), self.until.as_deref())?;
        let filter = UsageFilter {
            owner: whose.owner,
            product: self.product,
            since: period.since,
            until: period.until,
        };
        Ok(OfUse {
            filter,
            period,
            kept_from: app.upkeep.kept_from(period.now),
            only,
        })
    }
}
