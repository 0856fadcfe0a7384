//! `GET /v1/decisions/{id}`: the why.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use usher_api::{Code, Decision, Problem};
use usher_cache::DecisionRow;
use usher_core::ledger::{DecisionId, LeaseId};

use super::{Caller, Id, Json};
use crate::app::App;
use crate::auth::{AUTHORITY, Principal};
use crate::explain;
use crate::problem::{Refusal, shown};
use crate::words;

/// Why a checkout was granted, queued or refused: the rule, who held the seats at that instant,
/// and what would have to change. A client sees the decisions about its own user, an agent those
/// about its own computer.
#[utoipa::path(
    get,
    path = "/v1/decisions/{id}",
    tag = "history",
    params(("id" = String, Path, description = "Decision id, or that of the lease that it granted")),
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
    let decision = named(&id).ok_or_else(|| unknown(&id))?;
    let found = app
        .history(move |history| history.decision(decision))
        .await?
        .filter(|row| is_own(&caller, row))
        .ok_or_else(|| unknown(&id))?;
    let lease = LeaseId {
        incarnation: found.id.incarnation,
        number: found.id.number,
    };
    let mut explained = explain::explain(found);
    explained.joined = app.joins.of(lease);
    Ok(Json(StatusCode::OK, explained))
}

/// The decision of that id, or that granted the lease of that id.
fn named(id: &str) -> Option<DecisionId> {
    let of_lease = |lease: LeaseId| DecisionId {
        incarnation: lease.incarnation,
        number: lease.number,
    };
    id.parse()
        .ok()
        .or_else(|| words::lease_id(id).map(of_lease))
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
