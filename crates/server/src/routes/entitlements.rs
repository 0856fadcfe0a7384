//! `/v1/entitlements`: what the organisation owns.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode, Uri};
use jiff::tz::TimeZone;
use serde::Deserialize;
use usher_api::{Code, Entitlement, EntitlementRequest, Metric, Page, Problem};
use usher_core::ledger::{Command, Details, EntitlementNumber, EntitlementTerms, Model, Reply};
use usher_core::policy::{Range, Terms};

use super::{Caller, Id, Json, first_answer, replayed};
use crate::access::keys::OnceKey;
use crate::state::app::App;
use crate::wire::entitlement;
use crate::wire::input;
use crate::wire::problem::{Refusal, shown};
use crate::wire::records;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    product: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// All entitlements, in the order in which they were entered. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/entitlements",
    tag = "catalogue",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<Entitlement>),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Page<Entitlement>>, Refusal> {
    let query: Query = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let limit = paging.limit as usize;
    let mut found = app
        .look(move |ledger, _| {
            let after = ledger
                .entitlements()
                .filter(|entitlement| entitlement.number.0 > paging.cursor);
            after
                .filter_map(|entitlement| ledger.entitlement(entitlement.number))
                .filter(|view| {
                    query
                        .product
                        .as_deref()
                        .is_none_or(|product| *view.product == *product)
                })
                .take(limit + 1)
                .collect::<Vec<_>>()
        })
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|view| view.entitlement.number.0.to_string());
    let items = found.iter().map(entitlement::shown).collect();
    let page = Page {
        items,
        next,
        only: None,
        time: None,
    };
    Ok(Json(StatusCode::OK, page))
}

/// One entitlement. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/entitlements/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Entitlement id")),
    responses(
        (status = 200, body = Entitlement),
        (status = 404, description = "`unknown_entitlement`", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<Entitlement>, Refusal> {
    let number = number(&id)?;
    let found = app
        .look(move |ledger, _| ledger.entitlement(number))
        .await?
        .ok_or_else(|| Refusal::unknown_entitlement(&id))?;
    Ok(Json(StatusCode::OK, entitlement::shown(&found)))
}

/// Adds an entitlement. For admins.
#[utoipa::path(
    post,
    path = "/v1/entitlements",
    tag = "catalogue",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the first answer again")),
    request_body = EntitlementRequest,
    responses(
        (status = 201, body = Entitlement),
        (status = 400, description = "`invalid_request` or `unsupported_metric`", body = Problem),
        (status = 404, description = "`unknown_product`", body = Problem),
        (status = 409, description = "`name_taken` or `idempotency_conflict`", body = Problem),
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: EntitlementRequest = input::json(&body)?;
    let terms = terms(&request, &Details::default())?;
    let once = OnceKey::of(&headers, &caller, "POST /v1/entitlements", &body)?;
    let command = OnceKey::wrap(once, caller.acts(Command::AddEntitlement(terms)));
    let (reply, again) = first_answer(app.command(command).await?.reply);
    match reply {
        Reply::Entitlement(view) => Ok(replayed(
            Json(StatusCode::CREATED, entitlement::shown(&view)),
            again,
        )),
        Reply::UnknownProduct => Ok(replayed(Refusal::unknown_product(&request.product), again)),
        Reply::NameTaken(by) => Err(name_taken(by, &request)),
        Reply::KeyConflict => Err(Refusal::key_conflict()),
        _ => Err(Refusal::unexpected()),
    }
}

/// Replaces an entitlement by the body; only the name, the price and the fields after it stay
/// unchanged if the body leaves them out. If fewer seats remain than are in use, holders keep
/// theirs, and nobody new gets one until enough are given back. For admins.
#[utoipa::path(
    put,
    path = "/v1/entitlements/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Entitlement id")),
    request_body = EntitlementRequest,
    responses(
        (status = 200, body = Entitlement),
        (status = 400, description = "`invalid_request` or `unsupported_metric`", body = Problem),
        (status = 404, description = "`unknown_entitlement`", body = Problem),
        (status = 409, description = "`name_taken`", body = Problem),
    ),
)]
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    body: Bytes,
) -> Result<Json<Entitlement>, Refusal> {
    let request: EntitlementRequest = input::json(&body)?;
    let number = number(&id)?;
    let before = app
        .look(move |ledger, _| ledger.entitlement(number))
        .await?
        .map(|view| view.details)
        .unwrap_or_default();
    let terms = terms(&request, &before)?;
    let command = Command::ChangeEntitlement {
        entitlement: number,
        terms,
    };
    match app.command(caller.acts(command)).await?.reply {
        Reply::Entitlement(view) => Ok(Json(StatusCode::OK, entitlement::shown(&view))),
        Reply::UnknownEntitlement => Err(Refusal::unknown_entitlement(&id)),
        Reply::NameTaken(by) => Err(name_taken(by, &request)),
        Reply::ProductFixed => Err(Refusal::invalid(format!(
            "entitlement {id} is of another product than `product` says: an entitlement keeps its \
             product, so enter a new one and remove this one"
        ))),
        _ => Err(Refusal::unexpected()),
    }
}

/// Removes an entitlement. Existing leases go on until they end. For admins.
#[utoipa::path(
    delete,
    path = "/v1/entitlements/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Entitlement id")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 404, description = "`unknown_entitlement`", body = Problem),
    ),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let command = Command::RemoveEntitlement {
        entitlement: number(&id)?,
    };
    match app.command(caller.acts(command)).await?.reply {
        Reply::Done => Ok(super::no_content()),
        Reply::UnknownEntitlement => Err(Refusal::unknown_entitlement(&id)),
        _ => Err(Refusal::unexpected()),
    }
}

fn number(id: &str) -> Result<EntitlementNumber, Refusal> {
    records::entitlement_number(id).ok_or_else(|| Refusal::unknown_entitlement(id))
}

/// The refusal of a name that another entitlement has.
fn name_taken(by: EntitlementNumber, request: &EntitlementRequest) -> Refusal {
    let name = request.name.as_ref().and_then(Option::as_deref);
    Refusal::new(
        Code::NameTaken,
        format!(
            "entitlement {} has the name {} already: change that one, or choose another name",
            records::entitlement_id(by),
            shown(name.unwrap_or_default())
        ),
    )
}

/// The terms in a request, for an entitlement with the details `before`.
fn terms(request: &EntitlementRequest, before: &Details) -> Result<EntitlementTerms, Refusal> {
    if request.metric != Metric::Concurrent {
        return Err(Refusal::new(
            Code::UnsupportedMetric,
            "this version counts entitlements of metric `concurrent` only: enter it as that, or \
             wait for a version that counts this one",
        ));
    }
    let product = input::name("product", &request.product)?;
    let Range { least, most, .. } = Terms::SEATS;
    let seats = input::within("seats", request.seats, least, most)?;
    let overdraft = input::within("overdraft", request.overdraft, least, most)?;
    let zone = request.time_zone.as_deref().unwrap_or("UTC");
    TimeZone::get(zone).map_err(|_| {
        Refusal::invalid(format!(
            "`time_zone` is {}, which is no time zone known here: give an IANA name such as \
             Europe/Berlin",
            shown(zone)
        ))
    })?;
    let from = request.from.as_deref();
    let from = from.map(|text| input::bound("from", text, zone));
    let to = request.to.as_deref();
    let to = to.map(|text| input::end("to", text, zone));
    let (from, to) = (from.transpose()?, to.transpose()?.flatten());
    if let (Some(begins), Some(ends)) = (&from, &to)
        && ends.ends() <= begins.begins()
    {
        return Err(Refusal::invalid(format!(
            "it would end ({}) before it begins ({}): exchange `from` and `to`, or correct them",
            request.to.as_deref().unwrap_or_default(),
            request.from.as_deref().unwrap_or_default()
        )));
    }
    Ok(EntitlementTerms {
        product: product.into(),
        model: Model::Concurrent { seats, overdraft },
        from,
        to,
        details: entitlement::changed(request, before)?,
    })
}
