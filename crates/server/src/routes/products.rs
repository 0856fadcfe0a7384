//! `/v1/products`: the products.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use usher_api::{
    CLAIM_LIMIT_SECONDS, Code, GRACE_LIMITS_SECONDS, IDLE_LIMITS_SECONDS, IMPOSSIBLE_LIMIT_SECONDS,
    Page, Problem, Product, ProductView,
};
use usher_core::identify::Rule;
use usher_core::ledger::{Command, Ledger, Now, Pool, ProductNumber, Reply};
use usher_core::names::composed;

use super::{Caller, Id, Json, dangerous, first_answer, replayed};
use crate::access::keys::OnceKey;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::{Refusal, shown};
use crate::wire::records;

/// The largest queue of a product.
const QUEUE_LIMIT: u32 = 100_000;
/// The largest number of program rules of a product.
const RULES_LIMIT: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Products, in the order in which they were made, with their counts.
#[utoipa::path(
    get,
    path = "/v1/products",
    tag = "catalogue",
    params(
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses((status = 200, body = Page<ProductView>)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Page<ProductView>>, Refusal> {
    let query: Query = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let limit = paging.limit as usize;
    let mut found = app
        .look(move |ledger, now| {
            let listed = ledger
                .pools()
                .filter(|(number, pool)| number.0 > paging.cursor && !pool.listing.removed);
            let views = listed.map(|(number, pool)| (number, seen(pool, now)));
            views.take(limit + 1).collect::<Vec<_>>()
        })
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(ProductNumber(number), _)| number.to_string());
    let items = found.into_iter().map(|(_, seen)| view(seen)).collect();
    let page = Page {
        items,
        next,
        only: None,
        time: None,
    };
    Ok(Json(StatusCode::OK, page))
}

/// One product, with its counts.
#[utoipa::path(
    get,
    path = "/v1/products/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Product id")),
    responses(
        (status = 200, body = ProductView),
        (status = 404, description = "`unknown_product`", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Json<ProductView>, Refusal> {
    find(&app, id)
        .await
        .map(|found| Json(StatusCode::OK, found))
}

async fn find(app: &App, id: String) -> Result<ProductView, Refusal> {
    let asked = id.clone();
    let look = move |ledger: &Ledger, now: Now| {
        let (_, pool) = ledger.product(&asked)?;
        Some(seen(pool, now))
    };
    let found = app.look(look).await?;
    found.map(view).ok_or_else(|| Refusal::unknown_product(&id))
}

/// What is copied from the ledger while everything else waits.
struct ProductNow {
    spec: usher_core::ledger::ProductSpec,
    seats: u64,
    in_use: u64,
    created_at: i64,
}

fn seen(pool: &Pool, now: Now) -> ProductNow {
    ProductNow {
        spec: pool.listing.spec.clone(),
        seats: pool.seats(now),
        in_use: pool.in_use,
        created_at: pool.listing.created_at.0,
    }
}

fn view(seen: ProductNow) -> ProductView {
    ProductView {
        product: records::product(&seen.spec),
        seats: seen.seats,
        in_use: seen.in_use,
        created_at: timestamp(seen.created_at),
    }
}

/// Adds a product. For admins.
#[utoipa::path(
    post,
    path = "/v1/products",
    tag = "catalogue",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the first answer again")),
    request_body = Product,
    responses(
        (status = 201, body = ProductView),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 409, description = "`product_exists` or `idempotency_conflict`", body = Problem),
        (status = 422, description = "`dangerous_rule`: set `force` to enforce it anyway", body = Problem),
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut product: Product = input::json(&body)?;
    check(&mut product)?;
    dangerous::check(&app, &mut product).await?;
    let once = OnceKey::of(&headers, &caller, "POST /v1/products", &body)?;
    let command = Command::PutProduct {
        spec: records::product_spec(&product),
        new: true,
    };
    let answer = app
        .command(OnceKey::wrap(once, caller.acts(command)))
        .await?;
    let (reply, again) = first_answer(answer.reply);
    match reply {
        Reply::Product(spec) => {
            let seen = ProductNow {
                spec,
                seats: 0,
                in_use: 0,
                created_at: answer.at.wall.0,
            };
            // A repeat finds it as it was made, if it is still there.
            let found = match find(&app, product.id.clone()).await {
                Ok(found) => ProductView {
                    product: records::product(&seen.spec),
                    ..found
                },
                Err(_) => view(seen),
            };
            Ok(replayed(Json(StatusCode::CREATED, found), again))
        }
        Reply::ProductExists => Ok(replayed(
            Refusal::new(
                Code::ProductExists,
                format!(
                    "product {} is there already: change it with PUT /v1/products/{0}, or choose \
                     another id",
                    shown(&product.id)
                ),
            ),
            again,
        )),
        Reply::KeyConflict => Err(Refusal::key_conflict()),
        _ => Err(Refusal::unexpected()),
    }
}

/// Replaces all settings of a product by the body. For admins.
#[utoipa::path(
    put,
    path = "/v1/products/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Product id")),
    request_body = Product,
    responses(
        (status = 200, body = ProductView),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 404, description = "`unknown_product`", body = Problem),
        (status = 422, description = "`dangerous_rule`: set `force` to enforce it anyway", body = Problem),
    ),
)]
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    body: Bytes,
) -> Result<Json<ProductView>, Refusal> {
    let mut product: Product = input::json(&body)?;
    check(&mut product)?;
    if product.id != id {
        return Err(Refusal::invalid(format!(
            "`id` is {}, and the path names product {}: a product keeps its id, so make them the \
             same",
            shown(&product.id),
            shown(&id)
        )));
    }
    dangerous::check(&app, &mut product).await?;
    let command = Command::PutProduct {
        spec: records::product_spec(&product),
        new: false,
    };
    match app.command(caller.acts(command)).await?.reply {
        Reply::Product(_) => find(&app, id)
            .await
            .map(|found| Json(StatusCode::OK, found)),
        Reply::UnknownProduct => Err(Refusal::unknown_product(&id)),
        _ => Err(Refusal::unexpected()),
    }
}

/// Removes a product and its entitlements. Existing leases go on until they end, and waiting
/// tickets are cancelled. For admins.
#[utoipa::path(
    delete,
    path = "/v1/products/{id}",
    tag = "catalogue",
    params(("id" = String, Path, description = "Product id")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 404, description = "`unknown_product`", body = Problem),
    ),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let command = Command::RemoveProduct {
        product: id.as_str().into(),
    };
    match app.command(caller.acts(command)).await?.reply {
        Reply::Done => Ok(super::no_content()),
        Reply::UnknownProduct => Err(Refusal::unknown_product(&id)),
        _ => Err(Refusal::unexpected()),
    }
}

fn check(product: &mut Product) -> Result<(), Refusal> {
    product.id = input::name("id", &product.id)?.into_owned();
    let id = &*product.id;
    if id.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(Refusal::invalid(format!(
            "`id` is {}: leave out spaces and `/`, such as in acme-cad-2026",
            shown(id)
        )));
    }
    if matches!(id, "." | "..") {
        return Err(Refusal::invalid(format!(
            "`id` is {id}, which no path can name: choose one such as acme-cad-2026"
        )));
    }
    for (field, text) in [
        ("name", &mut product.name),
        ("publisher", &mut product.publisher),
    ] {
        *text = composed(text).into_owned();
        input::check_text(field, text).map_err(Refusal::invalid)?;
    }
    input::within(
        "max_ttl_seconds",
        product.max_ttl_seconds,
        1,
        crate::base::limits::TTL_LIMIT_SECONDS,
    )?;
    input::within("queue_limit", product.queue_limit, 0, QUEUE_LIMIT)?;
    let impossible = product.impossible_seconds;
    input::within(
        "impossible_seconds",
        impossible,
        1,
        IMPOSSIBLE_LIMIT_SECONDS,
    )?;
    let claim = product.claim_seconds;
    input::within("claim_seconds", claim, 1, CLAIM_LIMIT_SECONDS)?;
    let (least, most) = GRACE_LIMITS_SECONDS;
    input::within("grace_seconds", product.grace_seconds, least, most)?;
    if product.idle_seconds > 0 {
        let (least, most) = IDLE_LIMITS_SECONDS;
        input::within("idle_seconds", product.idle_seconds, least, most)?;
    }
    if product.programs.len() > RULES_LIMIT {
        return Err(Refusal::invalid(format!(
            "`programs` has {} rules: give at most {RULES_LIMIT}",
            product.programs.len()
        )));
    }
    for rule in &product.programs {
        Rule::parse(rule).map_err(|why| Refusal::invalid(why.to_string()))?;
    }
    Ok(())
}
