//! Health, metrics and the description of the API.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use hyper::header::CONTENT_TYPE;
use usher_api::Health;
use usher_core::health::Verdict;
use utoipa::OpenApi;

use super::Described;
use crate::app::App;

/// Whether it serves. Needs no token.
#[utoipa::path(get, path = "/v1/health", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        why: None,
    })
}

/// For Prometheus: the verdict on each server.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String)))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let mut text = String::from(
        "# HELP usher_server_verdict The verdict on a metering server: 1 for the one that holds.\n\
         # TYPE usher_server_verdict gauge\n",
    );
    for keeper in app.keepers().values() {
        let view = keeper.view.get();
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
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// This description. Needs no token.
#[utoipa::path(get, path = "/openapi.json", security(()), responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn description() -> impl IntoResponse {
    Json(Described::openapi())
}
