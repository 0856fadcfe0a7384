//! `/v1/sessions`, `/v1/usage`, `/v1/programs`: who used what, and for how long.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use serde::Deserialize;
use usher_api::{Page, Problem, ProgramCount, Session, Usage};
use usher_store::{ProgramRow, SessionFilter, SessionRow};

use super::period::{OfUse, Said};
use super::{Caller, Json, owned};
use crate::access::rights::Right;
use crate::access::whose::Whose;
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionQuery {
    product: Option<String>,
    user: Option<String>,
    computer: Option<String>,
    realm: Option<String>,
    account: Option<String>,
    since: Option<String>,
    until: Option<String>,
    running: Option<bool>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Sessions, those that began last first: each run of a product by a user on a computer, seated or not. A client
/// sees its own user's, an agent its own computer's, or those of one person there.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "history",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("user" = Option<String>, Query, description = "Name of the person who is counted"),
        ("computer" = Option<String>, Query, description = "The computer's id or name"),
        ("realm" = Option<String>, Query, description = "Only rows of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only rows of this person: the account"),
        ("since" = Option<String>, Query, description = "Only sessions that ended at or after this day or instant, or still run"),
        ("until" = Option<String>, Query, description = "Only sessions that began before the end of this day, or before this instant"),
        ("running" = Option<bool>, Query, description = "Only sessions that run, or only those that have ended"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses((status = 200, body = Page<Session>)),
)]
pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<Session>>, Refusal> {
    let query: SessionQuery = input::query(&uri)?;
    let limit = input::paging(query.limit, None)?.limit;
    let before = input::place(query.cursor.as_deref())?;
    let since = query
        .since
        .as_deref()
        .map(|since| input::instant("since", since))
        .transpose()?;
    let (realm, account) = (query.realm.as_deref(), query.account.as_deref());
    let whose = Whose::of(&caller, realm, account, app.local_accounts)?;
    let only = whose.only();
    let until = query.until.as_deref();
    let until = until
        .map(|until| input::until("until", until))
        .transpose()?;
    let filter = SessionFilter {
        owner: whose.owner,
        product: query.product,
        user: query.user,
        computer: query.computer,
        since,
        until,
        running: query.running,
    };
    let rows = app
        .history(move |history| history.sessions(&filter, wall_ms(), before, limit))
        .await?;
    let mut page = super::page(rows, session);
    page.only = only;
    Ok(Json(StatusCode::OK, page))
}

fn session(row: SessionRow) -> Session {
    Session {
        id: row.id,
        product: row.product,
        program: row.program,
        user: row.user,
        authority: row.authority,
        real_user: row.real_user,
        computer: row.computer,
        started_at: timestamp(row.started_at),
        ended_at: row.ended_at.map(timestamp),
        duration_seconds: row.duration_ms / 1_000,
        unseated_seconds: row.unseated_ms / 1_000,
        lease: row.lease,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageQuery {
    product: Option<String>,
    owned: Option<bool>,
    realm: Option<String>,
    account: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The use of each product within a period, by default the last 30 days: an item for each product
/// that was used, and with `owned` also for each that is owned. A client sees its own user's use,
/// an agent its own computer's, or that of one person there.
#[utoipa::path(
    get,
    path = "/v1/usage",
    tag = "history",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("owned" = Option<bool>, Query, description = "Also products of which seats are owned and nothing was used, and the `product` that is asked for, each with its seats and prices; not for who sees only what is their own"),
        ("realm" = Option<String>, Query, description = "Only rows of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only rows of this person: the account"),
        ("since" = Option<String>, Query, description = "Use from this day or instant on"),
        ("until" = Option<String>, Query, description = "Use until the end of this day, or until this instant"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<Usage>),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn usage(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<Usage>>, Refusal> {
    let query: UsageQuery = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let said = Said {
        product: query.product,
        realm: query.realm,
        account: query.account,
        since: query.since,
        until: query.until,
    };
    let of = said.by(&caller, &app)?;
    if query.owned == Some(true) && of.only.is_none() && caller.may(Right::SeeCounts) {
        let page = owned::usage(&app, of, paging).await?;
        return Ok(Json(StatusCode::OK, page));
    }
    let OfUse {
        filter,
        period,
        kept_from,
        only,
    } = of;
    let (rows, recorded_since) = app
        .history(move |history| {
            let rows = history.usage(&filter, period.now, (paging.cursor, paging.limit))?;
            Ok((rows, history.recorded_since(kept_from)?))
        })
        .await?;
    let mut page = super::page(rows, owned::used);
    page.only = only;
    page.time = Some(period.told(recorded_since));
    Ok(Json(StatusCode::OK, page))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Programs that belong to no product, the longest running first: starts and computers are counted.
/// Who starts them is not recorded, so no answer has it. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/programs",
    tag = "history",
    params(
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<ProgramCount>),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn programs(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Page<ProgramCount>>, Refusal> {
    let query: ProgramQuery = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let rows = app
        .history(move |history| history.programs(paging.cursor, paging.limit))
        .await?;
    let item = |row: ProgramRow| ProgramCount {
        program: row.program,
        starts: row.starts,
        run_seconds: row.run_seconds,
        package: row.package,
        desktop_name: row.desktop_name,
        computers: row.computers,
        first_at: timestamp(row.first_at),
        last_at: timestamp(row.last_at),
    };
    Ok(Json(StatusCode::OK, super::page(rows, item)))
}
