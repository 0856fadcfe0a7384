//! What the watched servers say when they are asked: what runs, and what is owned.
//!
//! The history has what has ended. What has not is asked of the servers, all at once, and those that
//! do not answer in time are named.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use usher_api::client::escaped;
use usher_api::{Cut, Entitlement, Lease, Page, Session, Timestamp, WatchedServer};
use usher_core::ledger::LeaseId;
use usher_core::usage::Span;
use usher_site::{Made, Running, RunningUse};

use crate::app::App;
use crate::routes::catalogue::forward::{Asked, look, servers};

/// All servers together have so long.
const TOGETHER: Duration = Duration::from_secs(8);
/// Servers that are asked at the same time.
const AT_ONCE: usize = 32;
/// Rows on a page of a server.
const PAGE: usize = 1_000;
/// Pages of a list that are read of a server.
const PAGES_LIMIT: usize = 20;

/// What they say, by product.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) running: BTreeMap<String, Vec<RunningUse>>,
    /// Seats for the time for which they are owned.
    pub(super) owned: BTreeMap<String, Vec<Span>>,
    /// Whether every server has said what is owned.
    pub(super) is_owned_known: bool,
    pub(super) cut: Vec<Cut>,
}

/// What runs, and who did not say it.
pub(crate) struct RunningNow {
    /// What runs, by product.
    pub(crate) running: BTreeMap<String, Vec<RunningUse>>,
    /// The ids of the servers that did not say all of it.
    pub(crate) silent: Vec<String>,
}

/// What runs on these watched servers, of one product or of all.
pub(crate) async fn running(
    app: &Arc<App>,
    product: Option<&str>,
    watched: &[WatchedServer],
) -> RunningNow {
    let told = ask(app, product, watched).await;
    let is_silent = |server: &&WatchedServer| {
        let what = what_of(RUNNING, &server.name);
        told.cut.iter().any(|cut| cut.what == what)
    };
    let silent = watched.iter().filter(is_silent);
    RunningNow {
        silent: silent.filter_map(|it| it.server_id.clone()).collect(),
        running: told.running,
    }
}

/// Asks these watched servers, of one product or of all.
pub(super) async fn ask(app: &Arc<App>, product: Option<&str>, watched: &[WatchedServer]) -> Told {
    let watched: BTreeMap<&str, &WatchedServer> =
        watched.iter().map(|it| (&*it.name, it)).collect();
    let until = Instant::now() + TOGETHER;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    for server in servers(app) {
        let Some(watched) = watched.get(&*server.name) else {
            continue;
        };
        let (app, room) = (app.clone(), room.clone());
        let of_it = OfServer {
            id: watched.server_id.clone().unwrap_or_default(),
            product: product.map(str::to_owned),
            server,
        };
        asking.spawn(async move {
            let asked = async {
                // It is never closed.
                let _place = room.acquire().await;
                of_it.ask(&app).await
            };
            let told = timeout_at(until, asked).await;
            told.unwrap_or_else(|_| {
                Part::nothing(&of_it.server.name, "it has not answered in time")
            })
        });
    }
    let mut told = Told {
        is_owned_known: true,
        ..Told::default()
    };
    while let Some(part) = asking.join_next().await {
        match part {
            Ok(part) => told.take(part),
            // It panicked, which is in the log.
            Err(_) => told.is_owned_known = false,
        }
    }
    told.cut.sort_by(|one, other| one.what.cmp(&other.what));
    told
}

impl Told {
    fn take(&mut self, part: Part) {
        self.is_owned_known &= part.is_owned_known;
        self.cut.extend(part.cut);
        for (product, use_of_it) in part.running {
            self.running.entry(product).or_default().push(use_of_it);
        }
        for (product, span) in part.owned {
            self.owned.entry(product).or_default().push(span);
        }
    }
}

/// What one server says.
struct Part {
    running: Vec<(String, RunningUse)>,
    owned: Vec<(String, Span)>,
    is_owned_known: bool,
    cut: Vec<Cut>,
}

impl Part {
    fn nothing(server: &str, why: &str) -> Part {
        let cut = |what: &str| cut(what, server, why);
        Part {
            running: Vec::new(),
            owned: Vec::new(),
            is_owned_known: false,
            cut: vec![cut(RUNNING), cut("owned")],
        }
    }
}

/// What runs, as answers call it.
const RUNNING: &str = "running";

fn what_of(what: &str, server: &str) -> String {
    format!("{what} on {server}")
}

fn cut(what: &str, server: &str, why: &str) -> Cut {
    Cut {
        what: what_of(what, server),
        why: why.to_owned(),
        before: None,
    }
}

/// What a server is asked.
struct OfServer {
    server: Asked,
    id: String,
    product: Option<String>,
}

impl OfServer {
    async fn ask(&self, app: &App) -> Part {
        let (leases, sessions, owned) = tokio::join!(
            self.list::<Lease>(app, "/v1/leases?"),
            self.list::<Session>(app, "/v1/sessions?running=true&"),
            self.list::<Entitlement>(app, "/v1/entitlements?"),
        );
        let mut part = Part {
            running: Vec::new(),
            owned: Vec::new(),
            is_owned_known: owned.why.is_none(),
            cut: Vec::new(),
        };
        for (what, why) in [
            (RUNNING, leases.why.or(sessions.why)),
            ("owned", owned.why),
        ] {
            part.cut
                .extend(why.map(|why| cut(what, &self.server.name, &why)));
        }
        let leases = leases.items.into_iter();
        part.running
            .extend(leases.filter_map(|lease| running_lease(&self.id, lease)));
        let sessions = sessions.items.into_iter();
        part.running
            .extend(sessions.filter_map(|it| running_session(&self.id, it)));
        part.owned.extend(owned.items.into_iter().map(owned_span));
        part
    }

    /// A list, page by page, or as much of it as is read.
    async fn list<T: DeserializeOwned>(&self, app: &App, path: &str) -> List<T> {
        let mut list = List {
            items: Vec::new(),
            why: None,
        };
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_LIMIT {
            let mut path = format!("{path}limit={PAGE}");
            if let Some(product) = &self.product {
                path.push_str(&format!("&product={}", escaped(product)));
            }
            if let Some(cursor) = &cursor {
                path.push_str(&format!("&cursor={}", escaped(cursor)));
            }
            let page = look(app, &self.server, &path).await.and_then(|body| {
                serde_json::from_slice::<Page<T>>(&body)
                    .map_err(|error| format!("its answer cannot be read: {error}"))
            });
            match page {
                Ok(page) => {
                    list.items.extend(page.items);
                    cursor = page.next;
                }
                Err(why) => {
                    list.why = Some(why);
                    return list;
                }
            }
            if cursor.is_none() {
                return list;
            }
        }
        list.why = Some(format!(
            "only the first {} are read: ask for one product",
            PAGES_LIMIT * PAGE
        ));
        list
    }
}

/// What was read of a list, and why not all of it.
struct List<T> {
    items: Vec<T>,
    why: Option<String>,
}

/// A seat that is only kept for somebody is no use yet.
fn running_lease(server: &str, lease: Lease) -> Option<(String, RunningUse)> {
    if lease.kept_seconds.is_some() {
        return None;
    }
    let running = RunningUse {
        what: Running::Lease {
            server: server.to_owned(),
            key: made(&lease.id)?,
            seats: lease.seats,
        },
        from_ms: lease.granted_at.as_millisecond(),
        realm: None,
        user: lease.user,
        computer: lease.computer,
    };
    Some((lease.product, running))
}

fn made(lease: &str) -> Option<Made> {
    let id: LeaseId = lease.parse().ok()?;
    Some(Made {
        incarnation: id.incarnation.0,
        event: id.number.0,
    })
}

fn running_session(server: &str, session: Session) -> Option<(String, RunningUse)> {
    if session.ended_at.is_some() {
        return None;
    }
    let lease = match &session.lease {
        Some(lease) => Some((server.to_owned(), made(lease)?)),
        None => None,
    };
    let running = RunningUse {
        what: Running::Session { lease },
        from_ms: session.started_at.as_millisecond(),
        realm: Some(session.authority),
        user: session.user,
        computer: session.computer,
    };
    Some((session.product, running))
}

/// An entitlement of no beginning was always valid.
fn owned_span(it: Entitlement) -> (String, Span) {
    let from = it.from.unwrap_or(Timestamp::MIN);
    let span = Span {
        from_ms: from.as_millisecond(),
        until_ms: it.to.map_or(i64::MAX, |to| to.as_millisecond()),
        seats: it.seats,
    };
    (it.product, span)
}
