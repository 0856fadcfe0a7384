//! `/v1/leases`: lists, renews and gives back leases.

use axum::extract::State;
use hyper::{HeaderMap, StatusCode, Uri};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use usher_api::{HeldAlso, HeldLease, LEASE_PROOF_HEADER, Lease, LeaseHolder, Page, Problem};
use usher_core::ledger::{Command, KEPT, Lease as LeaseState, LeaseId, Ledger, Now, Reply};
use usher_http::{Whole, json, no_content};
use usher_store::{LeaseFilter, LeaseRow};

use std::sync::Arc;

use super::{Caller, Id, Json, kept};
use crate::access::auth::Principal;
use crate::access::keys::OnceKey;
use crate::access::numbers::RequestNumber;
use crate::access::rights::Right;
use crate::access::whose::Whose;
use crate::base::time::timestamp;
use crate::routes::{Hot, first_answer};
use crate::state::app::App;
use crate::state::per_core::Core;
use crate::wire::input;
use crate::wire::problem::Refusal;
use crate::wire::records;
use crate::wire::writer::{self, Names};

/// The largest number of joins in one request.
const JOINS_LIMIT: u32 = 100_000;

/// Renews a lease for another ttl. The body is empty.
#[utoipa::path(
    post,
    path = "/v1/leases/{id}/renew",
    tag = "seats",
    params(
        ("id" = String, Path, description = "Lease id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the first answer again"),
    ),
    responses(
        (status = 200, description = "The lease is renewed", body = Lease),
        (status = 404, description = "`unknown_lease`: it has ended, never existed, or is another's", body = Problem),
    ),
)]
pub(crate) async fn renew(
    core: &Core,
    who: &Principal,
    key: Option<&[u8]>,
    id: &str,
    body: &[u8],
) -> Result<Whole, Refusal> {
    Hot::Renew.must_be_allowed(who)?;
    empty(body)?;
    let lease: LeaseId = input::id(id, Refusal::unknown_lease)?;
    let route = key.map(|_| format!("POST /v1/leases/{id}/renew"));
    let once = OnceKey::of_value(key, who, &route.unwrap_or_default(), body)?;
    let command = Command::Renew {
        lease,
        access: who.access.clone(),
    };
    let answer = core.hopper.ask(OnceKey::wrap(once, command)).await?;
    let (reply, replayed) = first_answer(answer.reply);
    match reply {
        Reply::Renewed {
            lease,
            product,
            user,
            computer,
            also,
        } => {
            let names = Names {
                product: &product,
                user: &user,
                computer: &computer,
            };
            Ok(json(
                StatusCode::OK,
                writer::renewed(&lease, &also, answer.at, names),
                replayed,
            ))
        }
        Reply::UnknownLease => Err(Refusal::unknown_lease(id)),
        Reply::KeyConflict => Err(Refusal::key_conflict()),
        _ => Err(Refusal::unexpected()),
    }
}

/// Gives a lease back. It is no error if the lease has ended already.
#[utoipa::path(
    delete,
    path = "/v1/leases/{id}",
    tag = "seats",
    params(("id" = String, Path, description = "Lease id")),
    responses(
        (status = 204, description = "The lease has ended, now or earlier"),
        (status = 404, description = "`unknown_lease`: it never existed, or is another's", body = Problem),
    ),
)]
pub(crate) async fn checkin(
    core: &Core,
    who: &Principal,
    request: RequestNumber,
    id: &str,
) -> Result<Whole, Refusal> {
    Hot::Checkin.must_be_allowed(who)?;
    let lease: LeaseId = input::id(id, Refusal::unknown_lease)?;
    let command = Command::Checkin {
        lease,
        access: who.access.clone(),
    };
    let command = who.acts_on_others(command, request);
    match core.hopper.ask(command).await?.reply {
        Reply::Done => Ok(no_content()),
        Reply::UnknownLease => match has_ended(&core.app, who, lease).await? {
            true => Ok(no_content()),
            false => Err(Refusal::unknown_lease(id)),
        },
        _ => Err(Refusal::unexpected()),
    }
}

/// Whether the lease has ended and was the sender's.
async fn has_ended(app: &Arc<App>, who: &Principal, lease: LeaseId) -> Result<bool, Refusal> {
    let found = app
        .history(move |history| history.lease(lease.number))
        .await?
        .filter(|(row, ended)| *ended && row.id == lease);
    let owner = Whose::of(who, None, None, app.local_accounts)?.owner;
    let is_own = |row: &LeaseRow| owner.has(&row.authority, &row.key, &row.computer_key);
    Ok(found.is_some_and(|(row, _)| is_own(&row)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Joining {
    joins: Option<u32>,
}

/// The product and holder of a lease, for the agent of a computer where somebody joins it. An agent
/// sees the leases of its own computer, and those of others only with their proof. For tokens of
/// role `agent`, `operator` and `admin`, and for any token with the proof.
#[utoipa::path(
    get,
    path = "/v1/agents/leases/{id}",
    tag = "agents",
    params(
        ("id" = String, Path, description = "Lease id"),
        ("usher-lease-proof" = Option<String>, Header, description = "The lease's `proof`, which its holder was given"),
        ("joins" = Option<u32>, Query, description = "How often the lease was joined since the last such request: 0 to 100,000, 0 by default. The lease shows the sum since the server's start"),
    ),
    responses(
        (status = 200, description = "The lease is held", body = HeldLease),
        (status = 403, description = "`forbidden`: a client's or viewer's token without the proof", body = Problem),
        (status = 404, description = "`unknown_lease`: it has ended, never existed, or is another computer's and its proof is missing", body = Problem),
    ),
)]
pub(crate) async fn held(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<HeldLease>, Refusal> {
    let query: Joining = input::query(&uri)?;
    let joins = input::within("joins", query.joins.unwrap_or(0), 0, JOINS_LIMIT)?;
    let lease: LeaseId = input::id(&id, Refusal::unknown_lease)?;
    let shown = headers
        .get(LEASE_PROOF_HEADER)
        .and_then(|value| value.to_str().ok());
    let mut opened = vec![lease];
    if shown.is_some() {
        // The proof of one that was granted in one ask with others opens all of them.
        let with = move |ledger: &Ledger, _| {
            let held = ledger.lease(lease.number).filter(|held| held.id == lease);
            let with = held.map_or_else(Box::default, |held| ledger.held_with(&held));
            with.iter()
                .filter_map(|other| other.lease)
                .collect::<Vec<_>>()
        };
        opened.extend(app.look(with).await?);
    }
    let is_right = |lease: &LeaseId| shown.is_some_and(|shown| app.proofs.is_right(*lease, shown));
    let proven = opened.iter().any(is_right);
    let may_ask = caller.may(Right::ReportAgent);
    if !may_ask && !proven {
        return Err(Refusal::forbidden(format!(
            "a token of role {} may not ask what a lease is of: show its proof, or use a token of \
             role agent",
            caller.role.as_str()
        )));
    }
    let computer = caller.own_computer().map(str::to_owned);
    let found = app
        .look(move |ledger, now| {
            let held = ledger.lease(lease.number)?;
            let is_held = held.id == lease && held.deadline > now.steady;
            let pool = ledger.pool(held.product).filter(|_| is_held)?;
            let is_there = |own: &str| {
                let at = ledger.computers().get(held.computer);
                at.is_some_and(|at| *at.key == *own)
            };
            let is_own = may_ask && computer.as_deref().is_none_or(is_there);
            let subject = ledger.subjects().get(held.subject).filter(|_| is_own);
            let is_kept = held.session.is_none() && held.program.as_deref() == Some(KEPT);
            let shown = (is_own || proven).then(|| HeldLease {
                product: pool.listing.spec.id.to_string(),
                seats: held.seats,
                proven,
                holder: subject.map(|subject| LeaseHolder {
                    authority: subject.authority.to_string(),
                    name: subject.name.to_string(),
                }),
                also: also(ledger, &held),
            });
            Some((shown?, is_kept))
        })
        .await?;
    let (held, is_kept) = found.ok_or_else(|| Refusal::unknown_lease(&id))?;
    if is_kept {
        // Of a seat that is only kept nobody asks.
        app.used.add(lease);
    }
    if may_ask {
        app.joins.add(lease, joins);
    }
    Ok(Json(StatusCode::OK, held))
}

/// The leases that were granted with a lease in one request.
fn also(ledger: &Ledger, held: &LeaseState) -> Vec<HeldAlso> {
    let with = ledger.held_with(held);
    let also = with.iter().filter_map(|other| {
        Some(HeldAlso {
            lease: other.lease?.to_string(),
            product: other.product.to_string(),
        })
    });
    also.collect()
}

fn empty(body: &[u8]) -> Result<(), Refusal> {
    let fields: serde_json::Map<String, serde_json::Value> = match body.is_empty() {
        true => return Ok(()),
        false => input::json(body)?,
    };
    match fields.keys().next() {
        None => Ok(()),
        Some(field) => Err(Refusal::invalid(format!(
            "this request takes no fields, and `{}` was sent: leave it out",
            crate::wire::problem::shown(field)
        ))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    product: Option<String>,
    user: Option<String>,
    computer: Option<String>,
    realm: Option<String>,
    account: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Leases that are held now. A client sees its own user's. An agent sees its own computer's, or
/// those of one person of a directory or of that computer, on all computers.
#[utoipa::path(
    get,
    path = "/v1/leases",
    tag = "seats",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("user" = Option<String>, Query, description = "Name of the person who is counted"),
        ("computer" = Option<String>, Query, description = "The computer's id or name"),
        ("realm" = Option<String>, Query, description = "Only rows of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only rows of this person: the account"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses((status = 200, body = Page<Lease>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<Lease>>, Refusal> {
    let query: Query = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let (realm, account) = (query.realm.as_deref(), query.account.as_deref());
    let whose = Whose::of(&caller, realm, account, app.local_accounts)?.on_all_computers();
    let only = whose.only();
    let filter = LeaseFilter {
        owner: whose.owner,
        product: query.product,
        user: query.user,
        computer: query.computer,
    };
    let rows = app
        .history(move |history| history.leases(&filter, paging.cursor, paging.limit))
        .await?;
    let mut kept: Vec<String> = rows
        .rows
        .iter()
        .filter(|row| row.kept)
        .map(|row| row.product.clone())
        .collect();
    kept.dedup();
    let look = move |ledger: &Ledger, now| {
        let specs = kept.into_iter().filter_map(|id| {
            let spec = ledger.product(&id)?.1.listing.spec.clone();
            Some((id, spec))
        });
        (now, specs.collect::<Vec<_>>())
    };
    let (now, specs) = app.look(look).await?;
    let claims = specs
        .into_iter()
        .map(|(id, spec)| (id, records::product(&spec).claim_seconds));
    let claims: Claims = claims.collect();
    let mut page = super::page(rows, |row| item(&app, row, now, &claims));
    page.only = only;
    Ok(Json(StatusCode::OK, page))
}

/// How long seats are kept for a later start, in seconds, by product id.
type Claims = FxHashMap<String, u32>;

fn item(app: &App, row: LeaseRow, now: Now, claims: &Claims) -> Lease {
    let claim = claims.get(&row.product).filter(|_| row.kept);
    let kept_seconds = claim.and_then(|seconds| {
        kept::left_seconds(&app.used, row.id, row.granted_at, *seconds, now.wall.0)
    });
    let idle_seconds = row
        .session
        .and_then(|session| app.touched.of(&row.computer_key, session, now.wall.0));
    Lease {
        joined: app.joins.of(row.id),
        proof: None,
        id: row.id.to_string(),
        product: row.product,
        user: row.user,
        computer: row.computer,
        seats: row.seats,
        granted_at: timestamp(row.granted_at),
        expires_at: records::estimate(row.deadline, now),
        ttl_seconds: records::seconds_left(row.deadline, now),
        allotments: row
            .allotments
            .iter()
            .map(|number| format!("A{number}"))
            .collect(),
        also: Vec::new(),
        with: row.with.map(|first| first.to_string()),
        kept_seconds,
        idle_seconds,
    }
}
