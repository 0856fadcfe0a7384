//! `GET /v1/decisions/{id}`: the why.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use usher_api::{Code, Decision, Problem};
use usher_cache::DecisionRow;
use usher_core::ledger::DecisionId;

use super::{Caller, Id, Json};
use crate::app::App;
use crate::auth::{AUTHORITY, Principal};
use crate::explain;
use crate::input;
use crate::problem::{Refusal, shown};

/// Why a checkout was granted, queued or refused: the rule, who held the seats at that instant,
/// and what would have to change. A client sees the decisions about its own user, an agent those
/// about its own computer.
#[utoipa::path(
    get,
    path = "/v1/decisions/{id}",
    tag = "history",
    params(("id" = String, Path, description = "Decision id")),
    responses(
        (status = 200, body = Decision),
        (status = 404, description = "`unknown_decision`: not kept, never was, or another's", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Decision>, Refusal> {
    let decision: DecisionId = input::id(&id, unknown)?;
    let found = app
        .history(move |history| history.decision(decision))
        .await?
        .filter(|row| is_own(&caller, row))
        .ok_or_else(|| unknown(&id))?;
    Ok(Json(StatusCode::OK, explain::explain(found)))
}

fn unknown(id: &str) -> Refusal {
    Refusal::new(
        Code::UnknownDecision,
        format!(
            "no decision {} is kept: decisions are named by the answers to checkouts",
            shown(id)
        ),
    )
}

fn is_own(who: &Principal, row: &DecisionRow) -> bool {
    if let Some(user) = who.own_user() {
        return row.user == user && row.authority == AUTHORITY;
    }
    who.own_computer()
        .is_none_or(|computer| row.computer_key == computer)
}
