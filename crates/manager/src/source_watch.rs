//! Concerns about what other licence servers count, as their imports tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use usher_core::concerns::{SeatsFact, SourceEntitlement, SourceFacts, SourceSeats};
use usher_site::SourceNow;

use crate::clock::{steady, wall_ms};
use crate::logged::or_log;
use crate::reported::Reported;
use crate::tools::Tools;

/// The largest number of sources whose concerns are judged; the first by their names.
const SOURCES_LIMIT: usize = 1_000;

/// Judges each source.
pub(crate) struct SourceWatches {
    tools: Arc<Tools>,
    watches: BTreeMap<String, Reported>,
}

impl SourceWatches {
    /// Watches none yet.
    pub(crate) fn new(tools: Arc<Tools>) -> SourceWatches {
        SourceWatches {
            tools,
            watches: BTreeMap::new(),
        }
    }

    /// Takes what is known of all sources now; raises and closes messages.
    pub(crate) async fn look(&mut self, sources: &[SourceNow]) {
        let there: BTreeSet<&str> = sources.iter().map(|it| &*it.source).collect();
        let gone = self.watches.keys().filter(|it| !there.contains(&***it));
        for source in gone.cloned().collect::<Vec<_>>() {
            // All of its imports were taken out.
            if let Some(mut reported) = self.watches.remove(&source) {
                let ended = reported.concerns.end_all();
                reported.tell(ended).await;
            }
        }
        let thresholds = self.tools.thresholds.get();
        for source in sources.iter().take(SOURCES_LIMIT) {
            let Some(reported) = self.watch(&source.source).await else {
                return;
            };
            let facts = facts(source);
            let notices = reported
                .concerns
                .see_source(steady(), &facts, &thresholds.concerns);
            reported.tell(notices).await;
        }
    }

    /// The watch of a source, resumed; none: the site database does not say what was open.
    async fn watch(&mut self, source: &str) -> Option<&mut Reported> {
        if !self.watches.contains_key(source) {
            // No watched server has such a name.
            let kept_as = format!("import:{source}");
            let known = or_log(self.tools.site.resume_server(kept_as.clone()).await)?;
            let reported = Reported::resume(self.tools.clone(), kept_as, None, known.concerns);
            self.watches.insert(source.to_owned(), reported);
        }
        self.watches.get_mut(source)
    }
}

fn facts(source: &SourceNow) -> SourceFacts {
    let products = source.products.as_ref().zip(source.until_ms);
    let seats = products.map(|(products, until_ms)| SourceSeats {
        until_ms,
        products: products
            .iter()
            .filter_map(|it| {
                let product = match &it.server {
                    Some(server) => format!("{} ({server})", it.product),
                    None => it.product.clone(),
                };
                Some(SeatsFact {
                    product,
                    seats: it.seats?,
                    in_use: it.in_use?,
                })
            })
            .collect(),
    });
    let entitlements = source.entitlements.iter().map(|it| SourceEntitlement {
        product: it.product.clone(),
        seats: it.seats,
        from: it.from_day.as_ref().and_then(|day| day.parse().ok()),
        to: it.to_day.as_ref().and_then(|day| day.parse().ok()),
    });
    SourceFacts {
        at_ms: wall_ms(),
        source: source.source.clone(),
        seats,
        entitlements: entitlements.collect(),
        imported_ms: source.imported_ms,
        imports_of_week: source.imports_of_week,
        days_of_week: source.days_of_week,
    }
}
