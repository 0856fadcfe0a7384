//! The past of a product, read from the site database, and the time of it that can be replayed.

use std::collections::BTreeSet;
use std::sync::Arc;

use usher_core::replay::{Gap, Past, Recording};
use usher_site::{PastAsked, Retained, Site, SourceRow};

use super::asked::Asked;
use super::held::Held;
use crate::problem::Refusal;

/// What is read of a past at the most. A million takes some hundred MB while it is replayed.
const ITEMS_LIMIT: usize = 1_000_000;
/// A history that is collected up to less than this before now is taken to end there, if nobody has
/// said when the time ends.
const JUST_NOW_MS: i64 = 3_600_000;

/// The past of a product.
#[derive(Debug, Default)]
pub(super) struct PastRead {
    pub(super) items: Vec<Past>,
    /// All servers whose history is collected.
    pub(super) sources: Vec<SourceRow>,
    /// Whether anything of the product was collected.
    pub(super) is_known: bool,
    /// The servers that the items are of, by number.
    servers: BTreeSet<u64>,
    /// The first that is known of any product, in Unix milliseconds.
    first_ms: Option<i64>,
}

/// Reads what touches the time.
pub(super) async fn read(site: &Arc<dyn Site>, asked: &Asked) -> Result<PastRead, Refusal> {
    let read = read_at_most(site, asked, ITEMS_LIMIT).await?;
    read.ok_or_else(|| {
        Refusal::invalid(format!(
            "of {} more than {ITEMS_LIMIT} leases, sessions, waits and refusals are recorded in \
             that time, which is more than one what-if takes: ask about a shorter one with \
             `from` and `to`",
            asked.shown_product()
        ))
    })
}

/// The same, page by page; none: there is more than `limit`.
pub(super) async fn read_at_most(
    site: &Arc<dyn Site>,
    asked: &Asked,
    limit: usize,
) -> Result<Option<PastRead>, Refusal> {
    let mut read = PastRead {
        sources: site.sources().await?,
        ..PastRead::default()
    };
    let kept = site.retained().await?;
    // What is left of the time before is a part of it.
    let kept_ms = Retained::ALL.into_iter().filter_map(|it| kept.of(it)).max();
    let mut wanted = PastAsked {
        product: asked.product.clone(),
        from_ms: asked.earliest_ms(),
        until_ms: asked.latest_ms(),
        after: None,
    };
    loop {
        let page = site.past(wanted.clone()).await?;
        read.is_known = page.is_known;
        read.items.extend(page.items);
        read.servers.extend(page.servers);
        read.first_ms = read.first_ms.into_iter().chain(page.first_ms).min();
        if read.items.len() > limit {
            return Ok(None);
        }
        match page.next {
            Some(next) => wanted.after = Some(next),
            None => {
                read.first_ms = read.first_ms.max(kept_ms);
                return Ok(Some(read));
            }
        }
    }
}

impl PastRead {
    /// The recording without what ran and what was asked for.
    pub(super) fn frame(&self, asked: &Asked, held: &Held) -> Recording {
        let covered: Vec<i64> = self.covered_ms(held).collect();
        let until_ms = asked.until_ms.unwrap_or_else(|| {
            let recent_ms = asked.now_ms.saturating_sub(JUST_NOW_MS);
            let earliest = covered.iter().copied().min();
            let earliest = earliest.filter(|ms| (recent_ms..asked.now_ms).contains(ms));
            earliest.unwrap_or(asked.now_ms)
        });
        let first_ms = self.first_ms.unwrap_or(i64::MIN);
        let from_ms = asked
            .from_ms
            .unwrap_or_else(|| asked.earliest_ms().max(first_ms))
            .min(until_ms);
        let before = Gap {
            from_ms,
            until_ms: first_ms,
        };
        let behind = covered.into_iter().map(|covered_ms| Gap {
            from_ms: covered_ms,
            until_ms,
        });
        let seats_today = held.seats_today();
        Recording {
            product: asked.product.clone(),
            from_ms,
            until_ms,
            seats_today: seats_today.and_then(|seats| u32::try_from(seats).ok()),
            running: Vec::new(),
            asks: Vec::new(),
            gaps: std::iter::once(before).chain(behind).collect(),
        }
    }

    /// Up to when the history of each server that has something of the product is collected, in Unix
    /// milliseconds. One that is watched no longer has nothing more to tell.
    fn covered_ms<'a>(&'a self, held: &'a Held) -> impl Iterator<Item = i64> + 'a {
        let sources = self.sources.iter();
        let of_product = sources.filter(|source| self.servers.contains(&source.number));
        of_product.filter_map(|source| {
            let collected_ms = held.collected_ms(&source.server)?;
            Some(collected_ms.unwrap_or(source.collected_ms))
        })
    }

    /// What is assumed of it, a sentence each.
    pub(super) fn notes(&self) -> Vec<String> {
        let many = self.servers.len();
        let several = (many > 1)
            .then(|| format!("The asks of {many} metering servers are put to one pool of seats."));
        several.into_iter().collect()
    }
}
