//! What the watched servers say when they are asked: what runs, and what is owned.
//!
//! The history has what has ended. What has not is asked of the servers, all at once, and those that
//! do not answer in time are named.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_api::{Cut, Entitlement, Lease, Session, Timestamp, WatchedServer};
use usher_core::ledger::LeaseId;
use usher_core::usage::Span;
use usher_site::{Made, Running, RunningUse};

use crate::app::App;
use crate::routes::together::{self, OfServer, not_told};

/// What they say, by product.
#[derive(Debug, Default)]
pub(in crate::routes) struct Told {
    pub(in crate::routes) running: BTreeMap<String, Vec<RunningUse>>,
    /// Seats for the time for which they are owned.
    pub(in crate::routes) owned: BTreeMap<String, Vec<Span>>,
    /// The servers' names, and what they own.
    pub(in crate::routes) entitlements: Vec<(String, Entitlement)>,
    /// Whether every server has said what is owned.
    pub(in crate::routes) is_owned_known: bool,
    pub(in crate::routes) cut: Vec<Cut>,
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
        let what = together::what_of(RUNNING, &server.name);
        told.cut.iter().any(|cut| cut.what == what)
    };
    let silent = watched.iter().filter(is_silent);
    RunningNow {
        silent: silent.filter_map(|it| it.server_id.clone()).collect(),
        running: told.running,
    }
}

/// Asks these watched servers, of one product or of all.
pub(in crate::routes) async fn ask(
    app: &Arc<App>,
    product: Option<&str>,
    watched: &[WatchedServer],
) -> Told {
    let asked = |app: Arc<App>, of: OfServer| async move { part(&app, &of).await };
    let each = together::each(app, product, watched, asked).await;
    let mut told = Told {
        is_owned_known: true,
        ..Told::default()
    };
    for (server, part) in each {
        let part = part.unwrap_or_else(|why| Part::nothing(&server, &why));
        told.take(&server, part);
    }
    told.cut.sort_by(|one, other| one.what.cmp(&other.what));
    told
}

impl Told {
    fn take(&mut self, server: &str, part: Part) {
        self.is_owned_known &= part.is_owned_known;
        self.cut.extend(part.cut);
        for (product, use_of_it) in part.running {
            self.running.entry(product).or_default().push(use_of_it);
        }
        for entitlement in part.owned {
            let owned = self.owned.entry(entitlement.product.clone()).or_default();
            owned.push(owned_span(&entitlement));
            self.entitlements.push((server.to_owned(), entitlement));
        }
    }
}

/// What one server says.
struct Part {
    running: Vec<(String, RunningUse)>,
    owned: Vec<Entitlement>,
    is_owned_known: bool,
    cut: Vec<Cut>,
}

impl Part {
    fn nothing(server: &str, why: &str) -> Part {
        let cut = |what: &str| not_told(what, server, why);
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

async fn part(app: &App, of: &OfServer) -> Part {
    let (leases, sessions, owned) = tokio::join!(
        of.list::<Lease>(app, "/v1/leases?"),
        of.list::<Session>(app, "/v1/sessions?running=true&"),
        of.list::<Entitlement>(app, "/v1/entitlements?"),
    );
    let mut part = Part {
        running: Vec::new(),
        owned: owned.items,
        is_owned_known: owned.why.is_none(),
        cut: Vec::new(),
    };
    for (what, why) in [(RUNNING, leases.why.or(sessions.why)), ("owned", owned.why)] {
        let cut = why.map(|why| not_told(what, &of.server.name, &why));
        part.cut.extend(cut);
    }
    let leases = leases.items.into_iter();
    part.running
        .extend(leases.filter_map(|lease| running_lease(&of.id, lease)));
    let sessions = sessions.items.into_iter();
    part.running
        .extend(sessions.filter_map(|it| running_session(&of.id, it)));
    part
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
fn owned_span(it: &Entitlement) -> Span {
    let from = it.from.unwrap_or(Timestamp::MIN);
    Span {
        from_ms: from.as_millisecond(),
        until_ms: it.to.map_or(i64::MAX, |to| to.as_millisecond()),
        seats: it.seats,
    }
}
