//! Who used what.

use std::sync::Arc;

use usher_api::LastUse;
use usher_report::UseOf;
use usher_site::{NumberedPerson, REPORT_ROWS_LIMIT, SumsAsked, UseSum, UsedBy, UsedProduct};

use super::gathering::{Gathering, ROWS_LIMIT};
use crate::clock::date;
use crate::problem::Refusal;

/// People that are read from the site at once.
const PAGE: u32 = 1_000;
/// Of whom or what it is not known any more.
pub(super) const NOT_KNOWN: &str = "(not known any more)";

impl Gathering<'_> {
    /// The uses of each person, or on each computer, by product; of one person if that was asked
    /// for.
    pub(super) async fn uses(&mut self, by: UsedBy) -> Result<Vec<UseOf>, Refusal> {
        let mut uses: Vec<UseOf> = Vec::new();
        let people = self.people_asked_for().await?;
        let user = self.question.parameters.user.clone();
        for of in self.products().await? {
            let mut asked = self.sums_asked(&of, by);
            asked.people.clone_from(&people);
            asked
                .running
                .retain(|it| is_named(user.as_deref(), Some(&it.user)));
            if asked.from_ms >= asked.to_ms {
                break;
            }
            if uses.len() >= ROWS_LIMIT {
                self.cut(
                    "rows of people and computers",
                    format!(
                        "a report has at most {ROWS_LIMIT}, and those of {} and of what comes behind \
                         it are left out: ask for one product, or for less time",
                        of.product
                    ),
                );
                break;
            }
            let sums = self.app.tools.site.use_sums(asked).await?;
            self.archived(sums.archived);
            let room = ROWS_LIMIT.saturating_sub(uses.len());
            if sums.left_out > 0 || sums.rows.len() > room {
                self.cut_rows("rows of people and computers", &of.product);
            }
            let rows = sums.rows.into_iter().take(room);
            uses.extend(rows.map(|row| use_of(row, by, &of)));
        }
        Ok(uses)
    }

    /// What the site is asked about a product.
    pub(super) fn sums_asked(&self, of: &UsedProduct, by: UsedBy) -> SumsAsked {
        SumsAsked {
            product: of.product.clone(),
            counted: of.counted,
            from_ms: self.question.period.from_ms,
            to_ms: self.until_ms(),
            by,
            running: self.running(of),
            people: None,
            limit: REPORT_ROWS_LIMIT,
        }
    }

    /// The people with the account that was asked for; none: everybody is.
    async fn people_asked_for(&self) -> Result<Option<Arc<[u64]>>, Refusal> {
        let Some(user) = self.question.parameters.user.as_deref() else {
            return Ok(None);
        };
        let mut people = Vec::new();
        let take = |it: NumberedPerson| {
            if is_named(Some(user), Some(&it.person.account)) {
                people.push(it.number);
            }
        };
        self.each_person(take).await?;
        Ok(Some(people.into()))
    }

    /// Has everybody taken whom the site knows.
    pub(super) async fn each_person(
        &self,
        mut take: impl FnMut(NumberedPerson),
    ) -> Result<(), Refusal> {
        let mut last = None;
        loop {
            let page = self.app.tools.site.numbered_people(last, PAGE).await?;
            let Some(next) = page.last() else {
                return Ok(());
            };
            last = Some(next.number);
            page.into_iter().for_each(&mut take);
        }
    }
}

/// Whether a row is of the person who was asked for. Accounts differ by case in few places, and who
/// asks may not know how one is written.
pub(super) fn is_named(user: Option<&str>, name: Option<&str>) -> bool {
    user.is_none_or(|user| name.is_some_and(|name| name.to_lowercase() == user.to_lowercase()))
}

fn use_of(row: UseSum, by: UsedBy, of: &UsedProduct) -> UseOf {
    let (users, computers) = match by {
        UsedBy::Person => (1, row.others),
        UsedBy::Computer => (row.others, 1),
    };
    UseOf {
        of: row.name.unwrap_or_else(|| NOT_KNOWN.to_owned()),
        realm: row.realm,
        product: of.product.clone(),
        sessions: row.sessions,
        users,
        computers,
        open_seconds: seconds(row.open_ms),
        // No server records it yet.
        active_seconds: None,
        seat_seconds: seconds(row.seat_ms),
        last_use: LastUse::used(date(row.last_ms)),
    }
}

/// From milliseconds.
pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
