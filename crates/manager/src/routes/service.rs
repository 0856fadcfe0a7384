//! Health and the description of the API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use usher_api::{Health, Listener};
use utoipa::OpenApi;

use super::Described;
use crate::app::App;

/// Whether the manager serves, and whether it leads its site. Needs no token.
#[utoipa::path(get, path = "/v1/health", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    let leads = app.led.by_us();
    let known = app.led.known();
    // It serves what the site database says as far as that can be reached.
    let status = match known.why {
        Some(_) if !leads => "degraded",
        _ => "ok",
    };
    Json(Health {
        status: status.to_owned(),
        role: Some(Listener::Manager.name().to_owned()),
        why: known.why.filter(|_| !leads),
        grants_nothing: None,
        leads: Some(leads),
        leader: known.leader,
    })
}

/// The description of this API. Needs no token.
#[utoipa::path(get, path = "/openapi.json", security(()), responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn description() -> impl IntoResponse {
    Json(Described::openapi())
}
