//! What is owned beside what is used of it: products that nobody uses are those to cancel.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_api::{Page, Price, Usage};
use usher_core::ledger::{Bound, EntitlementView, Ledger, Now};
use usher_http::input::Paging;
use usher_store::{UsageFilter, UsageRow};

use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::entitlement;
use crate::wire::problem::Refusal;

/// Products of which use is read, to be put beside those that are owned.
const PRODUCTS_LIMIT: u32 = 100_000;

/// Each product's use in a time with its seats and prices, those that are owned and were not used
/// too, by product id.
pub(super) async fn usage(
    app: &Arc<App>,
    filter: UsageFilter,
    now_ms: i64,
    paging: Paging,
) -> Result<Page<Usage>, Refusal> {
    let product = filter.product.clone();
    let owned = app
        .look(move |ledger, now| look(ledger, now, product.as_deref()))
        .await?;
    let items = app
        .history(move |history| {
            let rows = history.usage(&filter, now_ms, (0, PRODUCTS_LIMIT))?.rows;
            let is_used = |product: &str| rows.iter().any(|row| &*row.product == product);
            let last = match owned.entitlements.iter().all(|it| is_used(&it.product)) {
                true => Vec::new(),
                false => history.last_used(now_ms)?,
            };
            let last: BTreeMap<String, i64> = last.into_iter().collect();
            Ok(owned.beside(rows.into_iter().map(used), &last))
        })
        .await?;
    Ok(paged(items, paging))
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
    }
}

/// Use, without what is owned.
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
        seats: None,
        prices: Vec::new(),
    }
}

/// What is owned now.
#[derive(Debug, Default)]
struct Owned {
    /// The entitlements that are valid now.
    entitlements: Vec<EntitlementView>,
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
    Owned {
        entitlements: valid.collect(),
    }
}

impl Owned {
    /// The use of each product with what is owned of it, by product id; of those that were not used,
    /// with when they last were.
    fn beside(
        self,
        used: impl Iterator<Item = Usage>,
        last_used_ms: &BTreeMap<String, i64>,
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
        for product in seats.keys() {
            let last = last_used_ms.get(product).copied();
            items
                .entry(product.clone())
                .or_insert_with(|| unused(product, last));
        }
        for (product, usage) in &mut items {
            usage.seats = Some(seats.get(product).copied().unwrap_or(0));
            usage.prices = Price::sums(prices.remove(product).unwrap_or_default());
        }
        items.into_values().collect()
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
        seats: None,
        prices: Vec::new(),
    }
}
