//! Use beside what is owned, to find products that nobody uses, provided that agents can see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_api::{Page, Price, UnseenUse, Usage};
use usher_core::identify::{ProgramRole, Rule};
use usher_core::ledger::{Bound, EntitlementView, Ledger, Now, ProductSpec};
use usher_http::input::Paging;
use usher_store::UsageRow;

use super::period::OfUse;
use super::status::{self, Entry};
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::entitlement;
use crate::wire::problem::Refusal;
use crate::wire::records;

/// The largest number of products whose use is read.
const PRODUCTS_LIMIT: u32 = 100_000;

/// The use of each product within a period, with its seats and prices, by product id; also of
/// products that are owned and were not used.
pub(super) async fn usage(
    app: &Arc<App>,
    of: OfUse,
    paging: Paging,
) -> Result<Page<Usage>, Refusal> {
    let OfUse {
        filter,
        period,
        kept_from,
        only: _,
    } = of;
    let product = filter.product.clone();
    let owned = app
        .look(move |ledger, now| look(ledger, now, product.as_deref()))
        .await?;
    let watched_by = app.clone();
    let (items, recorded_since) = app
        .history(move |history| {
            let now_ms = period.now;
            let rows = history.usage(&filter, now_ms, (0, PRODUCTS_LIMIT))?.rows;
            let last = history.last_used(now_ms)?.into_iter().collect();
            let is_watched = status::last_seen(&watched_by, &owned.entries, now_ms)
                .any(|(_, seen_ms, _)| seen_ms >= period.since);
            let asked = filter.product.as_deref();
            let items = owned.beside(rows.into_iter().map(used), asked, &last, is_watched);
            Ok((items, history.recorded_since(kept_from)?))
        })
        .await?;
    let mut page = paged(items, paging);
    page.time = Some(period.told(recorded_since));
    Ok(page)
}

fn paged(items: Vec<Usage>, paging: Paging) -> Page<Usage> {
    let after = usize::try_from(paging.cursor).unwrap_or(usize::MAX);
    let end = after.saturating_add(paging.limit as usize);
    let next = (items.len() > end).then(|| end.to_string());
    let items = items.into_iter().skip(after);
    Page {
        items: items.take(paging.limit as usize).collect(),
        next,
        only: None,
        time: None,
    }
}

/// Use without what is owned.
pub(super) fn used(row: UsageRow) -> Usage {
    Usage {
        product: row.product,
        sessions: row.sessions,
        running: row.running,
        unseated: row.unseated,
        users: row.users,
        computers: row.computers,
        total_seconds: row.total_ms / 1_000,
        unseated_seconds: row.unseated_ms / 1_000,
        last_used_at: row.last_used_at.map(timestamp),
        unseen: None,
        removed: false,
        seats: None,
        prices: Vec::new(),
    }
}

/// What is owned now, and whether its use can be seen.
struct Owned {
    /// The entitlements that are valid now.
    entitlements: Vec<EntitlementView>,
    /// All products, by id.
    products: BTreeMap<String, ProductSpec>,
    /// The computers whose agents have reported.
    entries: Vec<Entry>,
}

fn look(ledger: &Ledger, now: Now, product: Option<&str>) -> Owned {
    let is_asked = |id: &str| product.is_none_or(|product| product == id);
    let has_begun = |from: &Option<Bound>| from.as_ref().is_none_or(|it| it.begins() <= now.wall);
    let is_over = |to: &Option<Bound>| to.as_ref().is_some_and(|it| it.ends() <= now.wall);
    let valid = ledger
        .entitlements()
        .filter(|it| has_begun(&it.from) && !is_over(&it.to))
        .filter_map(|it| ledger.entitlement(it.number))
        .filter(|view| is_asked(&view.product));
    let pools = ledger.pools().map(|(_, pool)| pool);
    let listed = pools.filter(|pool| !pool.listing.removed && is_asked(&pool.listing.spec.id));
    Owned {
        entitlements: valid.collect(),
        products: listed
            .map(|pool| (pool.listing.spec.id.to_string(), pool.listing.spec.clone()))
            .collect(),
        entries: status::computers(ledger),
    }
}

impl Owned {
    /// The use of each product with what is owned of it, by product id; of those that were not used,
    /// with when they last were. The product that was asked for is one of them if there is one.
    fn beside(
        self,
        used: impl Iterator<Item = Usage>,
        asked: Option<&str>,
        last_used_ms: &BTreeMap<String, i64>,
        is_watched: bool,
    ) -> Vec<Usage> {
        let mut prices: BTreeMap<String, Vec<Price>> = BTreeMap::new();
        // What may be overdrawn is not owned.
        let mut seats: BTreeMap<String, u64> = BTreeMap::new();
        for view in &self.entitlements {
            let shown = entitlement::shown(view);
            *seats.entry(shown.product.clone()).or_default() += u64::from(shown.seats);
            prices.entry(shown.product).or_default().extend(shown.price);
        }
        seats.retain(|_, seats| *seats > 0);
        let mut items: BTreeMap<String, Usage> =
            used.map(|usage| (usage.product.clone(), usage)).collect();
        let asked = asked.filter(|id| self.products.contains_key(*id));
        for product in seats.keys().map(String::as_str).chain(asked) {
            let last = last_used_ms.get(product).copied();
            items
                .entry(product.to_owned())
                .or_insert_with(|| unused(product, last));
        }
        for (product, usage) in &mut items {
            let spec = self.products.get(product);
            usage.removed = spec.is_none();
            usage.unseen = spec.and_then(|spec| unseen(spec, is_watched));
            usage.seats = Some(seats.get(product).copied().unwrap_or(0));
            usage.prices = Price::sums(prices.remove(product).unwrap_or_default());
        }
        items.into_values().collect()
    }
}

/// Why use of a product may go unseen.
fn unseen(spec: &ProductSpec, is_watched: bool) -> Option<UnseenUse> {
    let begins_a_use = |rule: &String| {
        let rule = Rule::parse(rule);
        rule.is_ok_and(|rule| rule.role == ProgramRole::Main)
    };
    match records::product(spec).programs.iter().any(begins_a_use) {
        false => Some(UnseenUse::NoProgramRule),
        true if !is_watched => Some(UnseenUse::NotWatched),
        true => None,
    }
}

fn unused(product: &str, last_used_ms: Option<i64>) -> Usage {
    Usage {
        product: product.to_owned(),
        sessions: 0,
        running: 0,
        unseated: 0,
        users: 0,
        computers: 0,
        total_seconds: 0,
        unseated_seconds: 0,
        last_used_at: last_used_ms.map(timestamp),
        unseen: None,
        removed: false,
        seats: None,
        prices: Vec::new(),
    }
}
