//! `holders`: who holds seats and who waits, as the servers say now.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_api::{Cut, Lease, ProductStatus, QueueEntry, Report, Session, Status};
use usher_report::{Held, HeldAs, HoldersInput, SeatsNow, Waiting};

use super::gathering::ROWS_LIMIT;
use super::question::Question;
use super::uses::is_named;
use crate::app::App;
use crate::problem::Refusal;
use crate::routes::together::{self, List, OfServer, not_told};
use crate::routes::usage::answer::watched;

/// What one server says.
struct Said {
    status: Result<Status, String>,
    leases: List<Lease>,
    sessions: List<Session>,
    queue: List<QueueEntry>,
}

async fn ask(app: &App, of: &OfServer) -> Said {
    let (status, leases, sessions, queue) = tokio::join!(
        of.one::<Status>(app, "/v1/status"),
        of.list::<Lease>(app, "/v1/leases?"),
        of.list::<Session>(app, "/v1/sessions?running=true&"),
        of.list::<QueueEntry>(app, "/v1/queue?"),
    );
    Said {
        status,
        leases,
        sessions,
        queue,
    }
}

pub(super) async fn report(app: &Arc<App>, question: Question) -> Result<Report, Refusal> {
    let product = question.product();
    let asked = |app: Arc<App>, of: OfServer| async move { ask(&app, &of).await };
    let each = together::each(app, product, &watched(app), asked).await;
    let mut now = Now::default();
    for (server, said) in each {
        match said {
            Ok(said) => now.take(&server, said, &question),
            Err(why) => {
                now.is_owned_known = false;
                for what in ["seats", "holders", "waiting"] {
                    now.cut.push(not_told(what, &server, &why));
                }
            }
        }
    }
    let mut basis = question.basis();
    basis.notes.push(
        "Idle for: as the agent said when it last renewed the seat. Agents look at programs of \
         products with `on_idle` only."
            .to_owned(),
    );
    let input = now.input();
    basis.cut.append(&mut now.cut);
    Ok(usher_report::holders(&basis, input))
}

/// What all say.
struct Now {
    products: BTreeMap<String, SeatsNow>,
    held: Vec<Held>,
    waiting: Vec<Waiting>,
    /// Whether every server says how many seats there are.
    is_owned_known: bool,
    cut: Vec<Cut>,
}

impl Default for Now {
    fn default() -> Now {
        Now {
            products: BTreeMap::new(),
            held: Vec::new(),
            waiting: Vec::new(),
            is_owned_known: true,
            cut: Vec::new(),
        }
    }
}

impl Now {
    fn take(&mut self, server: &str, said: Said, question: &Question) {
        let mut not = |what: &str, why: Option<&str>| {
            let cut = why.map(|why| not_told(what, server, why));
            self.cut.extend(cut);
        };
        not("seats", said.status.as_ref().err().map(String::as_str));
        let held = said.leases.why.or(said.sessions.why);
        not("holders", held.as_deref());
        not("waiting", said.queue.why.as_deref());
        let product = question.product();
        match said.status {
            Ok(status) => {
                let products = status.products.into_iter();
                let asked_for = products.filter(|it| product.is_none_or(|id| it.id == id));
                asked_for.for_each(|it| self.seats(it));
            }
            Err(_) => self.is_owned_known = false,
        }
        let user = question.parameters.user.as_deref();
        let leases = said.leases.items.into_iter();
        let leases = leases.filter(|it| is_named(user, Some(&it.user)));
        self.held.extend(leases.map(|it| of_lease(server, it)));
        let sessions = said.sessions.items.into_iter();
        let unseated = sessions.filter(|it| it.lease.is_none() && it.ended_at.is_none());
        let unseated = unseated.filter(|it| is_named(user, Some(&it.user)));
        self.held.extend(unseated.map(|it| of_session(server, it)));
        let queue = said.queue.items.into_iter();
        let queue = queue.filter(|it| is_named(user, Some(&it.user)));
        self.waiting.extend(queue.map(|it| of_queue(server, it)));
    }

    /// Adds what one server says of a product.
    fn seats(&mut self, it: ProductStatus) {
        let of = self.products.entry(it.id.clone()).or_insert(SeatsNow {
            product: it.id,
            seats: Some(0),
            in_use: 0,
            kept: 0,
            unseated: 0,
            waiting: 0,
        });
        of.seats = of.seats.map(|seats| seats.saturating_add(it.seats));
        of.in_use = of.in_use.saturating_add(it.in_use);
        of.kept = of.kept.saturating_add(it.kept);
        of.unseated = of.unseated.saturating_add(it.unseated);
        of.waiting = of.waiting.saturating_add(it.queued);
    }

    fn input(&mut self) -> HoldersInput {
        let mut held = std::mem::take(&mut self.held);
        let mut waiting = std::mem::take(&mut self.waiting);
        if held.len() > ROWS_LIMIT || waiting.len() > ROWS_LIMIT {
            self.cut.push(Cut {
                what: "holders".to_owned(),
                why: format!("a report has at most {ROWS_LIMIT} rows: ask for one product"),
                before: None,
            });
        }
        held.truncate(ROWS_LIMIT);
        waiting.truncate(ROWS_LIMIT);
        let is_owned_known = self.is_owned_known;
        let products = std::mem::take(&mut self.products).into_values();
        let products = products.map(|it| SeatsNow {
            seats: it.seats.filter(|_| is_owned_known),
            ..it
        });
        HoldersInput {
            products: products.collect(),
            held,
            waiting,
        }
    }
}

fn of_lease(server: &str, it: Lease) -> Held {
    Held {
        server: server.to_owned(),
        product: it.product,
        user: it.user,
        computer: it.computer,
        seats: it.seats.into(),
        since: it.granted_at,
        held_as: match it.kept_seconds {
            Some(_) => HeldAs::Kept,
            None => HeldAs::InUse,
        },
        idle_seconds: it.idle_seconds,
    }
}

fn of_session(server: &str, it: Session) -> Held {
    Held {
        server: server.to_owned(),
        product: it.product,
        user: it.user,
        computer: it.computer,
        seats: 0,
        since: it.started_at,
        held_as: HeldAs::Unseated,
        idle_seconds: None,
    }
}

fn of_queue(server: &str, it: QueueEntry) -> Waiting {
    Waiting {
        server: server.to_owned(),
        product: it.product,
        user: it.user,
        computer: it.computer,
        seats: it.seats.into(),
        position: it.position.into(),
        since: Some(it.queued_at),
    }
}
