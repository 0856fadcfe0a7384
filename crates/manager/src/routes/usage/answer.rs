//! A page of the use of a site: which stretches of which products, and what is known of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use usher_api::{CountedBy, Cut, SiteDenials, SiteUsage, SiteUsagePage, SiteWaits, WatchedServer};
use usher_core::usage::{
    Beside, Bucket, Counted, Gaps, Timeline, UsageItem, items, judged, stretches,
};
use usher_site::{Archived, Retained, RetainedSince, UsedAsked, UsedParts, UsedProduct};

use super::known::Known;
use super::period::{Cursor, Period};
use super::told::{self, Told};
use super::{archived, retained};
use crate::app::App;
use crate::problem::Refusal;

/// A page ends when it has taken so long, with what it has.
const PAGE: Duration = Duration::from_secs(5);

/// What answers about use rest on.
pub(in crate::routes) struct Ground {
    /// The servers that are watched, each once.
    pub(in crate::routes) watched: Vec<WatchedServer>,
    pub(in crate::routes) told: Told,
    pub(in crate::routes) known: Known,
    /// From which instant on rows are all there.
    pub(in crate::routes) retained: RetainedSince,
}

impl Ground {
    /// Asks the servers and the site database, of one product or of all.
    pub(in crate::routes) async fn of(
        app: &Arc<App>,
        product: Option<&str>,
        period: &Period,
    ) -> Result<Ground, Refusal> {
        let watched = watched(app);
        // What ends while it is asked is in both, and counts once.
        let told = told::ask(app, product, &watched).await;
        let record = app.tools.site.used_record().await?;
        let retained = app.tools.site.retained().await?;
        let known = Known::of(record, &watched, (period.from_ms, period.now_ms));
        Ok(Ground {
            watched,
            told,
            known,
            retained,
        })
    }

    /// What is missing of all products.
    pub(in crate::routes) fn cut(&self) -> impl Iterator<Item = &Cut> {
        self.known.cut.iter().chain(&self.told.cut)
    }
}

/// The servers that are watched, each once: one that is watched under two names would count twice.
pub(in crate::routes) fn watched(app: &App) -> Vec<WatchedServer> {
    let mut watched: Vec<WatchedServer> = app.watches().values().map(|it| it.view.get()).collect();
    watched.retain(|it| app.tools.identities.counts(&it.name));
    watched
}

/// The page that begins at the cursor, or the first.
pub(super) async fn page(
    app: &Arc<App>,
    product: Option<String>,
    period: &Period,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<SiteUsagePage, Refusal> {
    let ground = Ground::of(app, product.as_deref(), period).await?;
    let mut page = SiteUsagePage {
        items: Vec::new(),
        next: None,
        time_zone: period.time_zone.clone(),
        as_of: ground.known.as_of.clone(),
        cut: ground.cut().cloned().collect(),
    };
    let removed = retained::cuts(&ground.retained, &Retained::ALL, period.from_ms);
    page.cut.extend(removed);
    let began = Instant::now();
    for of in products(app, product, cursor.as_ref(), &ground.told, limit).await? {
        let is_there =
            |cursor: &&Cursor| (&cursor.product, cursor.counted) == (&of.product, of.counted);
        let first = cursor.as_ref().filter(is_there).map_or(0, |it| it.place);
        let left = limit.saturating_sub(page.items.len());
        let is_late = !page.items.is_empty() && began.elapsed() > PAGE;
        if left == 0 || is_late {
            page.next = Some(Cursor::at(period, first, of.counted, &of.product).to_string());
            break;
        }
        let rest = period.buckets.get(first..).unwrap_or_default();
        let buckets = &rest[..rest.len().min(left)];
        let found = of_product(app, &of, buckets, period.now_ms, (UsedParts::ALL, &ground)).await?;
        page.items.extend(found.items);
        for cut in found.cut {
            // Several products are of one source.
            if !page.cut.contains(&cut) {
                page.cut.push(cut);
            }
        }
        if buckets.len() < rest.len() {
            let place = first + buckets.len();
            page.next = Some(Cursor::at(period, place, of.counted, &of.product).to_string());
            break;
        }
    }
    Ok(page)
}

/// The products from the cursor on, in their order: those that the site knows, and those that a
/// server owns or lends. Each has an item at least, so one more than a page has items is enough.
pub(in crate::routes) async fn products(
    app: &Arc<App>,
    product: Option<String>,
    cursor: Option<&Cursor>,
    told: &Told,
    limit: usize,
) -> Result<BTreeSet<UsedProduct>, Refusal> {
    let here = |product: &String| UsedProduct {
        product: product.clone(),
        counted: Counted::Here,
    };
    let from = product.clone().or(cursor.map(|it| it.product.clone()));
    let from = from.unwrap_or_default();
    let ids = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
    let known = app.tools.site.used_products(from.clone(), ids).await?;
    let mut products: BTreeSet<UsedProduct> = known.into_iter().collect();
    match &product {
        // Of one that nobody knows it is said that it was not used.
        Some(product) => {
            products.retain(|it| it.product == *product);
            let is_told = told.running.contains_key(product) || told.owned.contains_key(product);
            if products.is_empty() || is_told {
                products.insert(here(product));
            }
        }
        None => {
            let told = told.running.keys().chain(told.owned.keys());
            let told = told.filter(|product| **product >= from);
            products.extend(told.map(here));
        }
    }
    if let Some(cursor) = cursor {
        let place = (&cursor.product, cursor.counted);
        products.retain(|it| (&it.product, it.counted) >= place);
    }
    Ok(products)
}

/// What is known of a product.
pub(in crate::routes) struct OfProduct {
    pub(in crate::routes) items: Vec<SiteUsage>,
    /// What is not known of it alone.
    pub(in crate::routes) cut: Vec<Cut>,
    /// What of it was read from the archive.
    pub(in crate::routes) archived: Archived,
    /// What is known of one that is counted elsewhere, beside what the watched servers tell.
    pub(in crate::routes) elsewhere: Option<Known>,
}

/// The items of a product; of what is not asked of it they have nothing.
pub(in crate::routes) async fn of_product(
    app: &Arc<App>,
    of: &UsedProduct,
    buckets: &[Bucket],
    now_ms: i64,
    (parts, ground): (UsedParts, &Ground),
) -> Result<OfProduct, Refusal> {
    let told = &ground.told;
    // What our servers say is of what they count.
    let is_here = of.counted == Counted::Here;
    let running = told.running.get(&of.product).filter(|_| is_here);
    let asked = UsedAsked {
        product: of.product.clone(),
        counted: of.counted,
        buckets: buckets.to_vec(),
        now_ms,
        gaps: Gaps::default(),
        running: running.cloned().unwrap_or_default(),
        parts,
    };
    let mut used = app.tools.site.used(asked).await?;
    let imported = (!is_here).then(|| Known::elsewhere(&used.told, now_ms));
    let known = imported.as_ref().unwrap_or(&ground.known);
    let owned = told.owned.get(&of.product).filter(|_| is_here);
    let owned = owned.map_or(&[][..], |owned| owned);
    let owned = Timeline::of(owned.iter().copied());
    used.lines.owned = stretches(&owned, buckets, i64::MAX, &Gaps::default());
    let granted = used.granted.iter().copied();
    let denials = judged(&used.denials, granted, known.until_ms);
    let beside = Beside {
        product: &Arc::from(&*of.product),
        gaps: &known.gaps,
        denials: &denials,
        waits: &used.waits,
        now_ms,
        known_until_ms: known.until_ms,
    };
    let items = items(of.counted, buckets, &used.lines, &used.who, &beside);
    let cut = imported.as_ref().map_or_else(Vec::new, |it| it.cut.clone());
    let is_owned_known = is_here && told.is_owned_known;
    let items = items.into_iter().map(|it| shown(it, is_owned_known));
    Ok(OfProduct {
        items: items.collect(),
        cut: cut
            .into_iter()
            .chain(archived::cuts(&used.archived))
            .collect(),
        archived: used.archived,
        elsewhere: imported,
    })
}

fn shown(it: UsageItem, is_owned_known: bool) -> SiteUsage {
    SiteUsage {
        product: it.product.to_string(),
        from: it.from,
        to: it.to,
        sessions: it.sessions,
        users: it.users,
        computers: it.computers,
        open_seconds: it.open_seconds,
        active_seconds: it.active_seconds,
        peak: it.peak,
        peak_at: it.peak_at,
        running_peak: it.running_peak,
        p95: it.p95,
        mean: it.mean,
        owned: is_owned_known.then_some(it.owned),
        reserved: it.reserved,
        unseated_sessions: it.unseated_sessions,
        waits: SiteWaits {
            count: it.waits.count,
            p50_seconds: it.waits.p50_seconds,
            p95_seconds: it.waits.p95_seconds,
            longest_seconds: it.waits.longest_seconds,
        },
        denials: SiteDenials {
            for_good: it.denials.for_good,
            satisfied_later: it.denials.satisfied_later,
            retries: it.denials.retries,
        },
        unobserved_seconds: it.unobserved_seconds,
        counted: match it.counted {
            Counted::Here => CountedBy::Here,
            Counted::Elsewhere => CountedBy::Elsewhere,
        },
        provisional: it.provisional,
    }
}
