//! Reads of the site database what the metrics and the concerns about other licence servers rest on:
//! what these hold now, and what became of refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use usher_api::WatchedServer;
use usher_site::{RunningUse, SettledAsked, SettledTime, SiteError, SourceNow, Teller};

use crate::app::App;
use crate::clock::{steady, wall_ms};
use crate::elsewhere::FRESH_MS;
use crate::logged::or_log;
use crate::refused::{Known, Whose};
use crate::routes::usage;
use crate::source_watch::SourceWatches;

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(30);
/// The same if there may be something new.
const AT_LEAST: Duration = Duration::from_secs(5);
/// A large site takes longer to read: the pause is at least so many times as long as that took ...
const PAUSE_TIMES: u32 = 20;
/// ... and no longer than this, so that what was read is shown until the next round.
const AT_MOST: Duration = Duration::from_secs(120);
/// Servers are asked what runs of each product alone, if it is no more products than these.
const ASKED_ALONE: usize = 20;
/// A server that does not say what runs is waited for so long. After that its refusals count without
/// what still runs on it.
const WAITED_FOR_MS: i64 = 3_600_000;

/// Reads for as long as it runs.
pub(crate) async fn run(app: Arc<App>) {
    let mut sources = SourceWatches::new(app.tools.clone());
    loop {
        let began = steady();
        let read = read_sources(&app).await;
        let took = steady().saturating_sub(began);
        if let Some(found) = or_log(read) {
            sources.look(&found).await;
            or_log(count_refusals(&app, &found).await);
        }
        tokio::time::sleep(pause(took)).await;
        let news = app.tools.counting.notified();
        // Without news it is done once more all the same.
        let _ = tokio::time::timeout(PAUSE, news).await;
    }
}

/// How long nothing is read after a read that took so long.
fn pause(took: Duration) -> Duration {
    took.saturating_mul(PAUSE_TIMES).clamp(AT_LEAST, AT_MOST)
}

async fn read_sources(app: &App) -> Result<Arc<Vec<SourceNow>>, SiteError> {
    let now_ms = wall_ms();
    let fresh_ms = now_ms.saturating_sub(FRESH_MS);
    let found = Arc::new(app.tools.site.sources_now(fresh_ms, now_ms).await?);
    app.tools.elsewhere.put(found.clone());
    Ok(found)
}

/// Counts the refusals of which it is known by now how they ended.
async fn count_refusals(app: &Arc<App>, sources: &[SourceNow]) -> Result<(), SiteError> {
    let mut known: Vec<Known> = sources
        .iter()
        .filter_map(|it| {
            Some(Known {
                whose: Whose::Source(it.source.clone()),
                teller: Teller::Source(it.source.clone()),
                until_ms: it.until_ms?,
            })
        })
        .collect();
    let mut watched = Vec::new();
    for watch in app.watches().values() {
        let server = watch.view.get();
        let told = watch.view.caught_up_ms().zip(server.server_id.clone());
        // One that is watched under two names would count twice.
        if !app.tools.identities.counts(&server.name) {
            continue;
        }
        known.extend(told.map(|(until_ms, id)| Known {
            whose: Whose::Server(server.name.clone()),
            teller: Teller::Server(id),
            until_ms,
        }));
        watched.push(server);
    }
    let times = app.tools.refused.due(&known, wall_ms());
    if times.is_empty() {
        return Ok(());
    }
    let mut asked = SettledAsked {
        times,
        running: Vec::new(),
    };
    let mut settled = app.tools.site.settled_denials(asked.clone()).await?;
    let here = settled
        .iter()
        .filter(|it| matches!(it.teller, Teller::Server(_)));
    let refused: BTreeSet<String> = here.map(|it| it.product.clone()).collect();
    if !refused.is_empty() {
        // Who got a seat later may still have it, and the history has what has ended.
        let (running, silent) = running(app, &refused, &watched).await;
        asked.times.retain(|time| !is_waited_for(time, &silent));
        asked.running = running.into_iter().collect();
        settled = app.tools.site.settled_denials(asked.clone()).await?;
    }
    app.tools.refused.add(&asked.times, &settled);
    Ok(())
}

/// Whether the refusals of a time wait for what runs on their server: `silent` are the ids of those
/// that did not say it.
fn is_waited_for(time: &SettledTime, silent: &BTreeSet<String>) -> bool {
    let is_silent = matches!(&time.teller, Teller::Server(id) if silent.contains(id));
    is_silent && time.through_ms.saturating_sub(time.after_ms) < WAITED_FOR_MS
}

/// What runs of these products on the watched servers, and the ids of the servers that did not say
/// all of it.
async fn running(
    app: &Arc<App>,
    products: &BTreeSet<String>,
    watched: &[WatchedServer],
) -> (BTreeMap<String, Vec<RunningUse>>, BTreeSet<String>) {
    let each: Vec<Option<&str>> = match products.len() <= ASKED_ALONE {
        true => products.iter().map(|product| Some(&**product)).collect(),
        false => vec![None],
    };
    let mut running = BTreeMap::new();
    let mut silent = BTreeSet::new();
    for product in each {
        let told = usage::running(app, product, watched).await;
        running.extend(told.running);
        silent.extend(told.silent);
    }
    (running, silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_a_long_read_is_longer_within_bounds() {
        assert_eq!(pause(Duration::from_millis(20)), AT_LEAST);
        assert_eq!(pause(Duration::from_secs(1)), Duration::from_secs(20));
        assert_eq!(pause(Duration::from_secs(60)), AT_MOST);
    }
}
