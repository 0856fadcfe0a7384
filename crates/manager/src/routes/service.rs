//! Health and the description of the API.

use axum::Json;
use axum::response::IntoResponse;
use usher_api::{Health, Listener};
use utoipa::OpenApi;

use super::Described;

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

/// The description of this API. Needs no token.
#[utoipa::path(get, path = "/openapi.json", security(()), responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn description() -> impl IntoResponse {
    Json(Described::openapi())
}
