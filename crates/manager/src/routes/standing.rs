//! `/v1/summaries` and `/v1/thresholds`: the status of components, and the thresholds for it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use usher_api::{ComponentSummary, Page, Problem};
use usher_http::input;

use crate::app::App;
use crate::problem::Refusal;
use crate::summary;
use crate::thresholds::Thresholds;

/// The status of the site and of each component, by the messages since a set time.
#[utoipa::path(
    get,
    path = "/v1/summaries",
    responses((status = 200, body = Page<ComponentSummary>)),
)]
pub(crate) async fn summaries(
    State(app): State<Arc<App>>,
) -> Result<Json<Page<ComponentSummary>>, Refusal> {
    let items = summary::components(&app).await?;
    Ok(Json(Page {
        items,
        next: None,
        only: None,
        time: None,
    }))
}

/// The thresholds for concerns, and those for summaries.
#[utoipa::path(get, path = "/v1/thresholds", responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn thresholds(State(app): State<Arc<App>>) -> Json<Thresholds> {
    Json(Thresholds::clone(&app.tools.thresholds.get()))
}

/// Replaces all thresholds; those that are left out get their defaults.
#[utoipa::path(
    put,
    path = "/v1/thresholds",
    request_body = serde_json::Value,
    responses(
        (status = 200, body = serde_json::Value),
        (status = 400, description = "`invalid_request`", body = Problem),
    ),
)]
pub(crate) async fn put_thresholds(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<Thresholds>, Refusal> {
    let fresh: Thresholds = input::json(&body)?;
    fresh.check().map_err(Refusal::invalid)?;
    app.tools.thresholds.put(fresh).await?;
    let values = vec!["an administrator".to_owned()];
    app.tools.dispatcher.raise(9443, None, values).await;
    Ok(thresholds(State(app)).await)
}
