//! Health, metrics and the description of the API.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use hyper::header::CONTENT_TYPE;
use usher_api::{Health, HistorySeen, Listener, WatchedServer};
use usher_core::health::{Source, Verdict};
use usher_core::messages::DELIVERY_TRIED_HOURS;
use utoipa::OpenApi;

use super::Described;
use crate::app::App;

/// Whether the manager serves. Needs no token.
#[utoipa::path(get, path = "/v1/health", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        role: Some(Listener::Manager.name().to_owned()),
        why: None,
        grants_nothing: None,
    })
}

/// For Prometheus: the verdict on each server, whether it grants seats, how far its history is
/// collected, and deliveries of messages.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String)))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let mut text = String::from(
        "# HELP usher_server_verdict The verdict on a metering server: 1 for the one that holds.\n\
         # TYPE usher_server_verdict gauge\n",
    );
    let servers: Vec<WatchedServer> = app.watches().values().map(|it| it.view.get()).collect();
    for view in &servers {
        for verdict in Verdict::ALL {
            let holds = u8::from(view.verdict == verdict.name());
            // Writing to a text does not fail.
            let _ = writeln!(
                text,
                "usher_server_verdict{{server=\"{}\",verdict=\"{verdict}\"}} {holds}",
                view.name
            );
        }
    }
    text += "# HELP usher_server_granting Whether a metering server that answers grants seats.\n\
             # TYPE usher_server_granting gauge\n";
    for view in &servers {
        let grants = u8::from(view.grants_nothing.is_none());
        // What does not answer tells nothing of that; a text takes what is written.
        if view
            .evidence
            .iter()
            .any(|it| it.source == Source::Work.name())
        {
            let _ = writeln!(
                text,
                "usher_server_granting{{server=\"{}\"}} {grants}",
                view.name
            );
        }
    }
    text += &history(&servers);
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
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// A metric about collecting: its name, type, help, and how it is read.
type Figure = (
    &'static str,
    &'static str,
    &'static str,
    fn(&HistorySeen) -> u64,
);

/// How far the history of each server is collected.
fn history(servers: &[WatchedServer]) -> String {
    let mut text = String::new();
    let seen = servers
        .iter()
        .filter_map(|view| view.history.as_ref().zip(Some(&view.name)));
    let seen: Vec<_> = seen.collect();
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
        text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (history, server) in &seen {
            text += &format!("{name}{{server=\"{server}\"}} {}\n", value(history));
        }
    }
    text
}

/// The description of this API. Needs no token.
#[utoipa::path(get, path = "/openapi.json", security(()), responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn description() -> impl IntoResponse {
    Json(Described::openapi())
}
