//! `GET /v1/history`: what has ended, page by page, for a site that collects it.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use serde::Deserialize;
use usher_api::{Code, HistoryPage, Problem};
use usher_store::HistoryPoint;

use super::Json;
use crate::state::app::App;
use crate::wire::problem::{Refusal, shown};
use crate::wire::{cursor, finished, input};

/// How many durable events the tables may lack for a page to wait until they hold them. Under load they
/// lack more, and whoever collects then can wait better than those who ask for seats.
const LATE_EVENTS: u64 = 20_000;
/// Events a second from which on there is a load that whoever collects leaves room for: more than agents of
/// a site of 100,000 computers make on a usual day.
const LOAD_EVENTS: u64 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    after: Option<String>,
    limit: Option<u32>,
}

/// What has ended: sessions, leases, refusals and waits, once each, in the order of the events that
/// ended them. A refusal comes a minute after it first happened, when no repeat is counted for it
/// any more; what ended after it comes after it. After a restore, `from` is before the requested
/// point if that is no longer on the server. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/history",
    tag = "history",
    params(
        ("after" = Option<String>, Query, description = "`cursor` of the page before; without it the history begins at its beginning"),
        ("limit" = Option<u32>, Query, description = "Items a page: 1 to 1,000, 100 by default"),
    ),
    responses(
        (status = 200, body = HistoryPage),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 409, description = "`unknown_history`: the cursor is of another server, or of data that were replaced", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<HistoryPage>, Refusal> {
    let query: Query = input::query(&uri)?;
    let limit = input::paging(query.limit, None)?.limit;
    let after = query.after.as_deref();
    let after = after.map(|text| point(&app, text)).transpose()?;
    if is_under_load(&app) {
        let read = app
            .blocking(move |app| app.engine.history().finished_so_far(after, limit))
            .await?;
        if let Some(page) = read {
            return Ok(Json(
                StatusCode::OK,
                finished::page(&app.server_id, page, true),
            ));
        }
    }
    // What the ledger does from now on is later than this instant.
    let now = app.look(|_, now| now.steady).await?;
    let read = app
        .history(move |history| history.finished(after, limit, now))
        .await?;
    let page = read.map_err(|_| unknown("of data that were replaced"))?;
    Ok(Json(
        StatusCode::OK,
        finished::page(&app.server_id, page, false),
    ))
}

/// Whether who collects can wait better than those who ask for seats.
fn is_under_load(app: &App) -> bool {
    let (_, events) = app.engine.commits();
    let per_second = app.pace.per_second(events, Instant::now());
    per_second >= LOAD_EVENTS || app.engine.behind() > LATE_EVENTS
}

fn point(app: &App, text: &str) -> Result<HistoryPoint, Refusal> {
    let (server, point) = cursor::read(text).ok_or_else(|| {
        Refusal::invalid(format!(
            "`after` is {}, which is not the `cursor` of any page: use the `cursor` of the previous page",
            shown(text)
        ))
    })?;
    match server == app.server_id {
        true => Ok(point),
        false => Err(unknown("of another server")),
    }
}

fn unknown(why: &str) -> Refusal {
    Refusal::new(
        Code::UnknownHistory,
        format!(
            "`after` is a point in the history {why}: go on from one that was collected before \
             that, or leave `after` out to begin at the beginning"
        ),
    )
}
