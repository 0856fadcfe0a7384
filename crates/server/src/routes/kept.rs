//! Seats that are kept for somebody's next start, and that nobody uses yet, as far as is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use usher_core::ledger::{LeaseId, Ledger, ProductNumber, ProductSpec};

use crate::base::clock::wall_ms;
use crate::engine::used::Used;
use crate::state::app::App;
use crate::wire::records;

/// A seat that may be kept, as the ledger has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    lease: LeaseId,
    seats: u32,
    granted_ms: i64,
}

/// The seats of a product that no session has claimed.
pub(super) fn of(ledger: &Ledger, product: ProductNumber) -> Vec<Kept> {
    let kept = ledger.kept(product);
    kept.map(|lease| Kept {
        lease: lease.id,
        seats: lease.seats,
        granted_ms: lease.granted_at.0,
    })
    .collect()
}

/// How many seats of each of these products are only kept now. Those are left out of which that is not
/// known, or no seat is.
pub(super) async fn now(app: &App, products: BTreeSet<Arc<str>>) -> BTreeMap<Arc<str>, u64> {
    if products.is_empty() || !app.used.keeps_any() {
        return BTreeMap::new();
    }
    let look = move |ledger: &Ledger, _| {
        let found = products.into_iter().filter_map(|product| {
            let (number, pool) = ledger.product(&product)?;
            let seats = of(ledger, number);
            Some((product, seats, pool.listing.spec.clone()))
        });
        found.collect::<Vec<_>>()
    };
    let found = app.look(look).await.unwrap_or_default();
    let now_ms = wall_ms();
    let counts = found
        .into_iter()
        .map(|(product, seats, spec)| (product, count(&app.used, &seats, &spec, now_ms)));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// How many of them are kept at that Unix millisecond.
pub(super) fn count(used: &Used, kept: &[Kept], spec: &ProductSpec, now_ms: i64) -> u64 {
    if kept.is_empty() {
        return 0;
    }
    let claim_seconds = records::product(spec).claim_seconds;
    let is_kept =
        |it: &&Kept| left_seconds(used, it.lease, it.granted_ms, claim_seconds, now_ms).is_some();
    let kept = kept.iter().filter(is_kept);
    kept.map(|it| u64::from(it.seats)).sum()
}

/// For how many more seconds a lease that was granted to be kept is kept, from a Unix millisecond on.
/// None: somebody uses it, or the product keeps none for so long.
pub(super) fn left_seconds(
    used: &Used,
    lease: LeaseId,
    granted_ms: i64,
    claim_seconds: u32,
    now_ms: i64,
) -> Option<u32> {
    let until_ms = granted_ms.saturating_add(i64::from(claim_seconds) * 1_000);
    let left_ms = u64::try_from(until_ms.saturating_sub(now_ms)).ok()?;
    let left = u32::try_from(left_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
    (left > 0 && !used.has(lease)).then_some(left)
}
