//! `unused`: each product that is owned or known, and when it was last used.

mod watched;

use std::collections::{BTreeMap, BTreeSet};

use usher_api::{CountedBy, LastUse, Price, Report, SiteUsage, Timestamp};
use usher_core::usage::{Counted, Gaps, LastUse as Found, NotKnown, Observed};
use usher_report::{OwnedOn, ProductUse, UnusedInput};
use usher_site::{LastUsed, REPORT_ROWS_LIMIT};

use self::watched::Watched;
use super::denials::product;
use super::figures::LEVELS;
use super::gathering::Gathering;
use crate::clock::date;
use crate::problem::Refusal;

pub(super) async fn report(mut gathering: Gathering<'_>) -> Result<Report, Refusal> {
    let figures = gathering.whole_figures(LEVELS).await?;
    let owned = gathering.owned().await?;
    let watched = Watched::of(&mut gathering).await;
    // Of one product it is the first that there is.
    let (from, many) = match gathering.question.product() {
        Some(product) => (product.to_owned(), 1),
        None => (String::new(), REPORT_ROWS_LIMIT),
    };
    let site = &gathering.app.tools.site;
    let last: BTreeMap<(String, Counted), LastUsed> = site
        .last_used(from, many)
        .await?
        .into_iter()
        .map(|it| ((it.product.clone(), it.counted), it))
        .collect();
    let seen: BTreeSet<&str> = figures.whole.iter().map(|it| &*it.product).collect();
    let unseen = owned
        .iter()
        .filter(|it| !seen.contains(&*it.entitlement.product));
    let unseen: BTreeSet<&str> = unseen.map(|it| &*it.entitlement.product).collect();
    let look = Look {
        gathering: &gathering,
        watched: &watched,
        owned: &owned,
    };
    let mut products = Vec::new();
    for item in &figures.whole {
        let of = product(item);
        let last = last.get(&(of.product.clone(), of.counted));
        let runs = !gathering.running(&of).is_empty();
        products.push(look.product(item, last, runs));
    }
    // Licences of files of which no use was ever told.
    products.extend(unseen.into_iter().map(|it| look.without_figures(it)));
    Ok(usher_report::unused(
        &gathering.basis(),
        UnusedInput { products },
    ))
}

/// What is known beside the figures.
struct Look<'a> {
    gathering: &'a Gathering<'a>,
    watched: &'a Watched,
    owned: &'a [OwnedOn],
}

impl Look<'_> {
    fn product(&self, item: &SiteUsage, last: Option<&LastUsed>, runs: bool) -> ProductUse {
        let now_ms = self.gathering.question.period.now_ms;
        let last_ms = last.and_then(|last| last.at_ms);
        let last_ms = if runs { Some(i64::MAX) } else { last_ms };
        let owned = self.of(&item.product, item.counted);
        ProductUse {
            product: item.product.clone(),
            name: self.watched.name(&item.product),
            counted: item.counted,
            owned: self.seats(&owned, item.counted),
            prices: prices(&owned, date(now_ms)),
            sessions: item.sessions,
            unobserved_seconds: item.unobserved_seconds,
            last_use: self.last_use(item, last_ms, &owned),
        }
    }

    /// One that only a file of what is owned names.
    fn without_figures(&self, product: &str) -> ProductUse {
        let owned = self.of(product, CountedBy::Elsewhere);
        let period = &self.gathering.question.period;
        let length_ms = period.to_ms.abs_diff(period.from_ms);
        ProductUse {
            product: product.to_owned(),
            name: self.watched.name(product),
            counted: CountedBy::Elsewhere,
            owned: self.seats(&owned, CountedBy::Elsewhere),
            prices: Vec::new(),
            sessions: 0,
            unobserved_seconds: super::uses::seconds(length_ms),
            last_use: LastUse::not_known("no import tells of its use"),
        }
    }

    /// What is owned of it. Files of other licence servers give no ids.
    fn of(&self, product: &str, counted: CountedBy) -> Vec<&OwnedOn> {
        let is_here = counted == CountedBy::Here;
        let is_of = |it: &&OwnedOn| {
            it.entitlement.product == product && it.entitlement.id.is_empty() != is_here
        };
        self.owned.iter().filter(is_of).collect()
    }

    /// Seats that are owned now.
    fn seats(&self, owned: &[&OwnedOn], counted: CountedBy) -> Option<u64> {
        let now = date(self.gathering.question.period.now_ms);
        let valid = owned.iter().filter(|it| is_valid(it, now));
        let seats = valid.map(|it| u64::from(it.entitlement.seats)).sum();
        match counted {
            CountedBy::Here => self.gathering.ground.told.is_owned_known.then_some(seats),
            // No file of what is owned may have been imported.
            CountedBy::Elsewhere => (!owned.is_empty()).then_some(seats),
        }
    }

    /// Never only if all of the time since it is owned, or that is asked about, was observed.
    fn last_use(&self, item: &SiteUsage, last_ms: Option<i64>, owned: &[&OwnedOn]) -> LastUse {
        let period = &self.gathering.question.period;
        let known = &self.gathering.ground.known;
        let is_here = item.counted == CountedBy::Here;
        if last_ms.is_none()
            && is_here
            && let Some(why) = self.watched.unseen(&item.product)
        {
            return LastUse::not_known(why);
        }
        let bought = owned.iter().filter_map(|it| it.entitlement.from).min();
        let bought_ms = bought.map_or(period.from_ms, Timestamp::as_millisecond);
        let no_gaps = Gaps::default();
        let observed = Observed {
            // Elsewhere it is what no file tells of that is not observed.
            since_ms: match is_here {
                true => known.since_ms,
                false => Some(period.from_ms),
            },
            cut_before_ms: None,
            gaps: if is_here { &known.gaps } else { &no_gaps },
        };
        let from_ms = bought_ms.max(period.from_ms);
        match Found::of(last_ms, (from_ms, period.now_ms), observed) {
            Found::Used { at_ms } => LastUse::used(date(at_ms)),
            Found::Never if !is_here && item.unobserved_seconds > 0.0 => {
                let ms = (item.unobserved_seconds * 1_000.0).round() as u64;
                LastUse::not_known(NotKnown::Gaps(ms).to_string())
            }
            // It may have been owned, and used, before the time that is asked about.
            Found::Never if bought.is_none() && !owned.is_empty() => {
                LastUse::not_known("nobody said since when it is owned")
            }
            Found::Never => LastUse::never(),
            Found::NotKnown(why) => LastUse::not_known(why.to_string()),
        }
    }
}

fn is_valid(it: &OwnedOn, now: Timestamp) -> bool {
    let of = &it.entitlement;
    of.from.is_none_or(|from| from <= now) && of.to.is_none_or(|to| to > now)
}

/// What is paid now.
fn prices(owned: &[&OwnedOn], now: Timestamp) -> Vec<Price> {
    let valid = owned.iter().filter(|it| is_valid(it, now));
    Price::sums(valid.filter_map(|it| it.entitlement.price.clone()))
}
