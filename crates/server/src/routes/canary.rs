//! `POST /v1/canary`: does a checkout still work, through queue, ledger and disk?

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use hyper::StatusCode;
use usher_api::{Canary, Problem};
use usher_core::ledger::{Command, Reply};

use super::Json;
use crate::state::app::App;
use crate::wire::problem::Refusal;
use crate::wire::records;

/// Takes a seat of a reserved product that no list and no count shows, and gives it back. The
/// answer comes when both are on disk, or says why there was no seat. A pause and the wait after a
/// restore do not refuse it; the answer mentions them. A manager asks this at each poll. For
/// viewers, operators and admins.
#[utoipa::path(
    post,
    path = "/v1/canary",
    tag = "operation",
    responses(
        (status = 200, body = Canary),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 503, description = "`storage_failed`, `outcome_unknown`, `busy`", body = Problem),
    ),
)]
pub(crate) async fn post(State(app): State<Arc<App>>) -> Result<Json<Canary>, Refusal> {
    let began = Instant::now();
    let answer = app.command(Command::Canary).await?;
    let why = match answer.reply {
        Reply::Canary(Ok(())) => None,
        Reply::Canary(Err(reason)) => Some(records::reason(reason).as_str().to_owned()),
        _ => return Err(Refusal::unexpected()),
    };
    Ok(Json(
        StatusCode::OK,
        Canary {
            seated: why.is_none(),
            why,
            took_seconds: began.elapsed().as_secs_f64(),
            grants_nothing: app.grants_nothing(),
        },
    ))
}
