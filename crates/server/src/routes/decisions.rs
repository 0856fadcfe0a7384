//! `GET /v1/decisions/{id}`: the reasons for a decision.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use serde::Deserialize;
use usher_api::{Code, Decision, Problem};
use usher_core::ledger::{DecisionId, LeaseId, ProductSpec};

use super::{Caller, Id, Json, kept};
use crate::access::whose::Whose;
use crate::state::app::App;
use crate::wire::explain::{self, Reader};
use crate::wire::input;
use crate::wire::problem::{Refusal, shown};
use crate::wire::records;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    realm: Option<String>,
    account: Option<String>,
}

/// Why a checkout was granted, queued or refused: the rule, who held the seats at that instant,
/// and what would have to change. A client sees the decisions about its own user, an agent those
/// about its own computer, or about one person there. To these two, others who held seats are named
/// only if the product shows its holders; else they are counted.
#[utoipa::path(
    get,
    path = "/v1/decisions/{id}",
    tag = "history",
    params(
        ("id" = String, Path, description = "Decision id, or that of the lease that it granted"),
        ("realm" = Option<String>, Query, description = "Only if the decision is about this person: the realm"),
        ("account" = Option<String>, Query, description = "Only if the decision is about this person: the account"),
    ),
    responses(
        (status = 200, body = Decision),
        (status = 404, description = "`unknown_decision`: it is no longer kept, never existed, or is another's", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    uri: Uri,
) -> Result<Json<Decision>, Refusal> {
    let query: Query = input::query(&uri)?;
    let (realm, account) = (query.realm.as_deref(), query.account.as_deref());
    let whose = Whose::of(&caller, realm, account, app.local_accounts)?;
    let decision = named(&id).ok_or_else(|| unknown(&id))?;
    let mut found = app
        .history(move |history| history.decision(decision))
        .await?
        .filter(|row| {
            let owner = &whose.owner;
            owner.has(&row.authority, &row.key, &row.computer_key)
        })
        .ok_or_else(|| unknown(&id))?;
    let only = whose.only();
    let is_asked = only.is_some() || found.holders.iter().any(|holder| holder.kept);
    let spec = match is_asked {
        true => spec(&app, &found.product).await?,
        false => None,
    };
    let product = spec.as_ref().map(records::product);
    let claim_seconds = product.as_ref().map_or(0, |product| product.claim_seconds);
    let (used, at) = (&app.used, found.at);
    for holder in &mut found.holders {
        let left = kept::left_seconds(used, holder.lease, holder.granted_at, claim_seconds, at);
        holder.kept &= left.is_some();
    }
    let lease = LeaseId {
        incarnation: found.id.incarnation,
        number: found.id.number,
    };
    let reader = match only {
        Some(_) => Reader::Person,
        None => Reader::Administrator,
    };
    let mut explained = explain::explain(found, reader);
    explained.joined = app.joins.of(lease);
    explained.only = only;
    let shows_holders = product.is_some_and(|product| product.show_holders);
    if explained.only.is_some() && !shows_holders {
        let holders = std::mem::take(&mut explained.holders);
        explained.unnamed_leases = Some(holders.len() as u64);
    }
    Ok(Json(StatusCode::OK, explained))
}

/// The settings of a product, unless it was removed.
async fn spec(app: &App, product: &str) -> Result<Option<ProductSpec>, Refusal> {
    let product = product.to_owned();
    app.look(move |ledger, _| {
        let listed = ledger.product(&product);
        listed.map(|(_, pool)| pool.listing.spec.clone())
    })
    .await
}

/// The decision with that id, or the one that granted the lease with that id.
fn named(id: &str) -> Option<DecisionId> {
    let of_lease = |lease: LeaseId| DecisionId {
        incarnation: lease.incarnation,
        number: lease.number,
    };
    id.parse()
        .ok()
        .or_else(|| records::lease_id(id).map(of_lease))
}

fn unknown(id: &str) -> Refusal {
    Refusal::new(
        Code::UnknownDecision,
        format!(
            "there is no decision {} that you may see: decisions are named by the answers to \
             checkouts",
            shown(id)
        ),
    )
}
