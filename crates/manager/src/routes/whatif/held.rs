//! What the watched servers say of a product now: what is owned, and which seats are still held. The
//! history tells only what has ended.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use usher_api::client::escaped;
use usher_api::{Code, Lease, Page, Timestamp, WatchedServer};
use usher_core::ledger::LeaseId;
use usher_core::replay::{MadeBy, Past, PastLease, Who};
use usher_site::SourceRow;

use super::asked::Asked;
use crate::app::App;
use crate::clock::date;
use crate::routes::catalogue::forward::{self, look_or};

/// Servers that are asked at the same time.
const AT_ONCE: usize = 16;
/// How long one server may take.
const WITHIN: Duration = Duration::from_secs(15);
/// Pages of a server's leases that are read, of a thousand each.
const PAGES: usize = 100;

/// What the watched servers say now.
#[derive(Debug, Default)]
pub(super) struct Held {
    servers: Vec<Seen>,
}

/// What one says, or why it does not.
#[derive(Debug)]
struct Seen {
    name: String,
    /// Its own id, if it has told it.
    id: Option<String>,
    /// Up to when its history is collected, if that was tried; Unix milliseconds.
    collected_ms: Option<i64>,
    found: Result<Found, String>,
}

#[derive(Debug, Default)]
struct Found {
    is_known: bool,
    seats: u64,
    leases: Vec<Lease>,
}

/// What is read of an entitlement.
#[derive(Deserialize)]
struct Owned {
    seats: u32,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Held {
    /// Asks all of them.
    pub(super) async fn of(app: &Arc<App>, asked: &Asked) -> Held {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut asking = JoinSet::new();
        for (server, seen) in watched(app) {
            let (app, places) = (app.clone(), places.clone());
            let (product, now) = (asked.product.clone(), date(asked.now_ms));
            asking.spawn(async move {
                // They are never closed.
                let _place = places.acquire_owned().await;
                let found = found(&app, &server, &product, now);
                let found = tokio::time::timeout(WITHIN, found).await;
                Seen {
                    name: seen.name,
                    id: seen.server_id,
                    collected_ms: seen
                        .history
                        .and_then(|history| history.collected_at)
                        .map(|at| at.as_millisecond()),
                    found: found.unwrap_or_else(|_| {
                        Err(format!("it takes longer than {} s", WITHIN.as_secs()))
                    }),
                }
            });
        }
        let mut servers: Vec<Seen> = Vec::new();
        while let Some(seen) = asking.join_next().await {
            servers.extend(seen);
        }
        servers.sort_by(|one, other| one.name.cmp(&other.name));
        Held { servers }
    }

    /// Whether one of them has the product.
    pub(super) fn is_known(&self) -> bool {
        self.found().any(|found| found.is_known)
    }

    /// Seats that are owned now, without overdraft; none: not all of them say.
    pub(super) fn seats_today(&self) -> Option<u64> {
        let all = self.found().count() == self.servers.len();
        (all && self.is_known()).then(|| self.found().map(|found| found.seats).sum())
    }

    /// Up to when the history of a server of that id is collected, in Unix milliseconds, if that was
    /// tried; none: it is not watched.
    pub(super) fn collected_ms(&self, id: &str) -> Option<Option<i64>> {
        let mut servers = self.servers.iter();
        let seen = servers.find(|seen| seen.id.as_deref() == Some(id));
        seen.map(|seen| seen.collected_ms)
    }

    /// The seats that are still held. Who holds them is not looked up: it matters only for how long
    /// somebody else would.
    pub(super) fn leases(&self, sources: &[SourceRow]) -> Vec<Past> {
        let mut leases = Vec::new();
        for (place, seen) in (0_u64..).zip(&self.servers) {
            let Ok(found) = &seen.found else {
                continue;
            };
            let mut of_id = sources
                .iter()
                .filter(|it| Some(&it.server) == seen.id.as_ref());
            let server = of_id.next().map(|source| source.number);
            // Numbers of sources are small.
            let server = server.unwrap_or(u64::MAX.saturating_sub(place));
            let each = found.leases.iter();
            leases.extend(each.filter_map(|lease| Some(Past::Lease(past(server, lease)?))));
        }
        leases
    }

    /// The servers that did not answer, a sentence each.
    pub(super) fn notes(&self) -> Vec<String> {
        let missing = self.missing().map(|(server, why)| {
            format!(
                "The metering server {server} does not say which seats are still held there \
                 ({why}): they are left out."
            )
        });
        missing.collect()
    }

    /// The servers that did not answer, and why.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        let servers = self.servers.iter();
        servers.filter_map(|seen| Some((&*seen.name, &**seen.found.as_ref().err()?)))
    }

    fn found(&self) -> impl Iterator<Item = &Found> {
        self.servers
            .iter()
            .filter_map(|seen| seen.found.as_ref().ok())
    }
}

/// The servers that are watched, each once.
fn watched(app: &App) -> Vec<(forward::Asked, WatchedServer)> {
    let watches = app.watches();
    let all = watches.values().map(|watch| {
        let seen = watch.view.get();
        let server = forward::Asked {
            name: seen.name.clone(),
            url: seen.url.clone(),
            token: watch.token.read(),
        };
        (server, seen)
    });
    all.filter(|(_, seen)| app.tools.identities.counts(&seen.name))
        .collect()
}

async fn found(
    app: &App,
    server: &forward::Asked,
    product: &str,
    now: Timestamp,
) -> Result<Found, String> {
    let product = escaped(product);
    match look_or(app, server, &format!("/v1/products/{product}")).await {
        Ok(_) => {}
        Err(not) if not.code.as_deref() == Some(Code::UnknownProduct.as_str()) => {
            return Ok(Found::default());
        }
        Err(not) => return Err(not.why),
    }
    let path = format!("/v1/entitlements?limit=1000&product={product}");
    let owned: Page<Owned> = page(app, server, &path).await?;
    let is_valid =
        |it: &&Owned| it.from.is_none_or(|from| from <= now) && it.to.is_none_or(|to| to > now);
    let valid = owned.items.iter().filter(is_valid);
    Ok(Found {
        is_known: true,
        seats: valid.map(|it| u64::from(it.seats)).sum(),
        leases: leases(app, server, &product).await?,
    })
}

async fn leases(app: &App, server: &forward::Asked, product: &str) -> Result<Vec<Lease>, String> {
    let mut leases = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES {
        let path = format!("/v1/leases?limit=1000&product={product}{cursor}");
        let page: Page<Lease> = page(app, server, &path).await?;
        leases.extend(page.items);
        match page.next {
            Some(next) => cursor = format!("&cursor={}", escaped(&next)),
            None => return Ok(leases),
        }
    }
    Err(format!("it has more than {} leases", leases.len()))
}

async fn page<T: DeserializeOwned>(
    app: &App,
    server: &forward::Asked,
    path: &str,
) -> Result<Page<T>, String> {
    let body = look_or(app, server, path).await.map_err(|not| not.why)?;
    serde_json::from_slice(&body).map_err(|error| format!("its answer cannot be read: {error}"))
}

/// A lease that is out; none: its id is not one.
fn past(server: u64, lease: &Lease) -> Option<PastLease> {
    let id: LeaseId = lease.id.parse().ok()?;
    Some(PastLease {
        key: MadeBy {
            server,
            incarnation: id.incarnation.0,
            event: id.number.0,
        },
        who: Who::default(),
        seats: lease.seats,
        granted_ms: lease.granted_at.as_millisecond(),
        held_ms: None,
        ticket: None,
        was_used: lease.kept_seconds.is_none(),
    })
}
