//! `GET /metrics`: what a manager knows, in Prometheus' text format.

mod products;
mod text;

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use hyper::header::CONTENT_TYPE;
use usher_api::{HistorySeen, WatchedServer};
use usher_core::health::{Source, Verdict};
use usher_core::messages::DELIVERY_TRIED_HOURS;

use self::text::{head, sample};
use crate::app::App;

/// For Prometheus: the verdict on each server, whether it grants seats, how far its history is
/// collected, deliveries of messages; and of each product, counted here or elsewhere, seats, use,
/// and what became of refusals.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String)))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let mut text = String::with_capacity(32 * 1024);
    let leads = app.led.by_us();
    let name = "usher_manager_leads";
    let help = "Whether this manager leads its site; the others leave out all that it tells.";
    head(&mut text, name, "gauge", help);
    sample(&mut text, name, &[], u8::from(leads));
    if !leads {
        return ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text);
    }
    let servers: Vec<WatchedServer> = app.watches().values().map(|it| it.view.get()).collect();
    verdicts(&mut text, &servers);
    products::all(&mut text, &app);
    let is_once = |it: &WatchedServer| app.tools.identities.counts(&it.name);
    let once: Vec<WatchedServer> = servers.into_iter().filter(is_once).collect();
    history(&mut text, &once);
    deliveries(&mut text, &app);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn verdicts(text: &mut String, servers: &[WatchedServer]) {
    let name = "usher_server_verdict";
    let help = "The verdict on a metering server: 1 for the one that holds.";
    head(text, name, "gauge", help);
    for view in servers {
        for verdict in Verdict::ALL {
            let holds = u8::from(view.verdict == verdict.name());
            let labels = [("server", &*view.name), ("verdict", verdict.name())];
            sample(text, name, &labels, holds);
        }
    }
    let name = "usher_server_granting";
    let help = "Whether a metering server that answers grants seats.";
    head(text, name, "gauge", help);
    // What does not answer tells nothing of that.
    let answers = |view: &&WatchedServer| {
        let works = |it: &usher_api::Evidence| it.source == Source::Work.name();
        view.evidence.iter().any(works)
    };
    for view in servers.iter().filter(answers) {
        let grants = u8::from(view.grants_nothing.is_none());
        sample(text, name, &[("server", &*view.name)], grants);
    }
}

fn deliveries(text: &mut String, app: &App) {
    let counts = app.tools.dispatcher.deliveries();
    let given_up = format!(
        "Deliveries of messages that were given up: refused for good, failed as often as they may, \
         or after {DELIVERY_TRIED_HOURS} hours of tries."
    );
    for (name, kind, help, value) in [
        (
            "usher_deliveries_dropped_total",
            "counter",
            "Deliveries of messages that were dropped, for too many waited for one destination.",
            counts.dropped,
        ),
        (
            "usher_deliveries_failed_total",
            "counter",
            "Deliveries of messages that were refused for good or failed as often as they may.",
            counts.failed,
        ),
        (
            "usher_deliveries_given_up_total",
            "counter",
            &*given_up,
            counts.given_up,
        ),
        (
            "usher_deliveries_waiting",
            "gauge",
            "Deliveries of messages that wait.",
            counts.waiting,
        ),
    ] {
        head(text, name, kind, help);
        sample(text, name, &[], value);
    }
}

/// A metric about collecting: its name, type, help, and how it is read.
type Figure = (
    &'static str,
    &'static str,
    &'static str,
    fn(&HistorySeen) -> u64,
);

/// How far the history of each server is collected.
fn history(text: &mut String, servers: &[WatchedServer]) {
    let figures: [Figure; 3] = [
        (
            "usher_history_behind_events",
            "gauge",
            "Events of a metering server whose history is not collected yet.",
            |it| it.head_event.saturating_sub(it.through_event),
        ),
        (
            "usher_history_added_total",
            "counter",
            "Items of a metering server's history that were added to the site database.",
            |it| it.added,
        ),
        (
            "usher_history_failing",
            "gauge",
            "Whether the last try to collect a metering server's history failed.",
            |it| u64::from(it.why.is_some()),
        ),
    ];
    for (name, kind, help, value) in figures {
        head(text, name, kind, help);
        for view in servers {
            if let Some(history) = &view.history {
                sample(text, name, &[("server", &*view.name)], value(history));
            }
        }
    }
}
