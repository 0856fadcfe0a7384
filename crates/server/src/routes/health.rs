//! `GET /v1/health`: whether the server can serve. Answered without a token and without the disk.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use usher_api::{Health, Listener, Withheld};

use super::Json;
use crate::state::app::App;

/// Whether the server can serve: 200, or 503 with the reason. If it serves and grants nothing, the
/// answer says so. Needs no token and never waits for the disk.
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "operation",
    security(()),
    responses(
        (status = 200, description = "The server can serve", body = Health),
        (status = 503, description = "The server cannot serve; the body says why", body = Health),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Json<Health> {
    let grants_nothing = app.grants_nothing();
    let (code, status, why) = match &grants_nothing {
        _ if app.is_stopping() => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unable",
            Some("the server is stopping".to_owned()),
        ),
        None => (StatusCode::OK, "ok", None),
        Some(says) => match says.reason {
            Withheld::Storage | Withheld::Other => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unable",
                Some(says.why.clone()),
            ),
            // It does what it was asked to.
            Withheld::Paused => (StatusCode::OK, "ok", None),
            Withheld::Restored => (StatusCode::OK, "degraded", Some(says.why.clone())),
        },
    };
    let status = status.to_owned();
    Json(
        code,
        Health {
            status,
            role: Some(Listener::Server.name().to_owned()),
            why,
            grants_nothing,
            leads: None,
            leader: None,
        },
    )
}
