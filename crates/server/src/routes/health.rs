//! `GET /v1/health`: can it serve? Answered without a token and without the disk.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use usher_api::Health;

use super::Json;
use crate::app::App;

/// Whether it can serve: 200, or 503 with why. Needs no token and never waits for the disk.
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "operation",
    security(()),
    responses(
        (status = 200, description = "It can", body = Health),
        (status = 503, description = "It cannot; says why", body = Health),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Json<Health> {
    let why = match app.is_stopping() {
        true => Some("the server is stopping".to_owned()),
        false => match app.engine.health() {
            usher_cache::Health::Ok => None,
            usher_cache::Health::Degraded { why, .. } => Some(why),
            usher_cache::Health::Stuck { why, for_seconds } => {
                Some(format!("{why}, for {for_seconds} s"))
            }
        },
    };
    match why {
        None => {
            let status = "ok".to_owned();
            Json(StatusCode::OK, Health { status, why })
        }
        Some(_) => {
            let status = "unable".to_owned();
            Json(StatusCode::SERVICE_UNAVAILABLE, Health { status, why })
        }
    }
}
