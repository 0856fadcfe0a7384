//! `GET /v1/snapshots`: the copies of the data that the server keeps beside it.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use usher_api::{Code, Page, Problem, Snapshot};

use super::Json;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::problem::Refusal;

/// All snapshots that the server keeps, newest first. `usher restore` takes one by its name. For
/// admins.
#[utoipa::path(
    get,
    path = "/v1/snapshots",
    tag = "operation",
    responses(
        (status = 200, body = Page<Snapshot>),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Page<Snapshot>>, Refusal> {
    let kept = app.blocking(|app| Ok(app.backups.list())).await?;
    let kept = kept.map_err(|error| Refusal::new(Code::StorageFailed, error.to_string()))?;
    let shown = |kept: usher_store::Snapshot| Snapshot {
        taken_at: timestamp(kept.taken_at),
        name: kept.name,
        reason: kept.reason,
        bytes: kept.bytes,
    };
    let page = Page {
        items: kept.into_iter().map(shown).collect(),
        next: None,
        only: None,
        time: None,
    };
    Ok(Json(StatusCode::OK, page))
}
