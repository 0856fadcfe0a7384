//! The use that a request is about: its product, owner and period.

use usher_api::{OfTime, Only};
use usher_store::UsageFilter;

use super::Caller;
use crate::access::whose::Whose;
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;

/// The default length of a period, in days.
const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// A period, in Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    /// The first instant of the period, in Unix milliseconds.
    pub(super) since: i64,
    /// The first instant after the period, in Unix milliseconds.
    pub(super) until: i64,
    /// The time of the request.
    pub(super) now: i64,
}

impl Period {
    /// Reads the period of a request; by default the last 30 days.
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

    /// The period in an answer, with the time since which use is recorded.
    pub(super) fn told(self, recorded_since: Option<i64>) -> OfTime {
        OfTime {
            since: timestamp(self.since),
            until: timestamp(self.until),
            recorded_since: recorded_since.map(timestamp),
        }
    }
}

/// The query parameters about the use.
pub(super) struct Said {
    pub(super) product: Option<String>,
    pub(super) realm: Option<String>,
    pub(super) account: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
}

/// The use that a request asks for, as far as the sender may see it.
pub(super) struct OfUse {
    pub(super) filter: UsageFilter,
    pub(super) period: Period,
    /// Use that ended before this Unix millisecond may have been removed.
    pub(super) kept_from: i64,
    /// The owner to whom the answer is limited, if the sender may not see others.
    pub(super) only: Option<Only>,
}

impl Said {
    /// The filter for the store.
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
