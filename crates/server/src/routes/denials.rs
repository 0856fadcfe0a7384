//! `GET /v1/denials` and `GET /v1/waits`: refused checkouts, and requests that waited and got no seat.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use serde::Deserialize;
use usher_api::{Denial, Only, Page, Problem, Reason, WaitInVain, WaitOutcome};
use usher_http::input::Paging;
use usher_store::{DenialFilter, DenialRow, WaitEnd, WaitRow};

use super::{Caller, Json};
use crate::access::whose::Whose;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;
use crate::wire::records;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    product: Option<String>,
    user: Option<String>,
    computer: Option<String>,
    realm: Option<String>,
    account: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Refused checkouts, newest first. Repeats within a minute are one row with a count. A client sees
/// its own user's, an agent those of its own computer or of one person there.
#[utoipa::path(
    get,
    path = "/v1/denials",
    tag = "history",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("user" = Option<String>, Query, description = "Name of the person who was refused"),
        ("computer" = Option<String>, Query, description = "The computer's id or name"),
        ("since" = Option<String>, Query, description = "Only refusals that were last repeated at or after this day or instant"),
        ("until" = Option<String>, Query, description = "Only those that were first refused before the end of this day, or before this instant"),
        ("realm" = Option<String>, Query, description = "Only rows of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only rows of this person: the account"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<Denial>),
        (status = 403, description = "`forbidden`: a client's token, for another person", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<Denial>>, Refusal> {
    let Asked {
        filter,
        paging,
        only,
    } = Asked::of(&app, &caller, &uri)?;
    let rows = app
        .history(move |history| history.denials(&filter, paging.cursor, paging.limit))
        .await?;
    let item = |row: DenialRow| Denial {
        decision_id: row.id.to_string(),
        product: row.product,
        user: row.user,
        computer: row.computer,
        seats: row.seats,
        reason: records::kept_reason(&row.reason).unwrap_or(Reason::NoSeat),
        count: row.count,
        first_at: timestamp(row.first_at),
        last_at: timestamp(row.last_at),
    };
    let mut page = super::page(rows, item);
    page.only = only;
    Ok(Json(StatusCode::OK, page))
}

/// Requests that waited in the queue and got no seat, newest first: who gave up, whose place lapsed,
/// who did not fetch a seat, whose product was removed. Who was refused while waiting is among the
/// denials. A client sees its own user's, an agent those of its own computer or of one person there.
#[utoipa::path(
    get,
    path = "/v1/waits",
    tag = "history",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("user" = Option<String>, Query, description = "Name of the person who waited"),
        ("computer" = Option<String>, Query, description = "The computer's id or name"),
        ("since" = Option<String>, Query, description = "Only waits that were over at or after this day or instant"),
        ("until" = Option<String>, Query, description = "Only those that began before the end of this day, or before this instant"),
        ("realm" = Option<String>, Query, description = "Only rows of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only rows of this person: the account"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<WaitInVain>),
        (status = 403, description = "`forbidden`: a client's token, for another person", body = Problem),
    ),
)]
pub(crate) async fn waits(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<WaitInVain>>, Refusal> {
    let Asked {
        filter,
        paging,
        only,
    } = Asked::of(&app, &caller, &uri)?;
    let rows = app
        .history(move |history| history.waits_in_vain(&filter, paging.cursor, paging.limit))
        .await?;
    let item = |row: WaitRow| WaitInVain {
        decision_id: row.id.to_string(),
        product: row.product,
        user: row.user,
        computer: row.computer,
        seats: row.seats,
        outcome: match row.end {
            WaitEnd::GaveUp => WaitOutcome::GaveUp,
            WaitEnd::TimedOut => WaitOutcome::TimedOut,
            WaitEnd::NotFetched => WaitOutcome::NotFetched,
            WaitEnd::ProductRemoved => WaitOutcome::ProductRemoved,
        },
        queued_at: timestamp(row.queued_at),
        ended_at: timestamp(row.ended_at),
        waited_seconds: row.waited_ms / 1_000,
    };
    let mut page = super::page(rows, item);
    page.only = only;
    Ok(Json(StatusCode::OK, page))
}

/// What a request asks for, as far as the sender may see it.
struct Asked {
    filter: DenialFilter,
    paging: Paging,
    only: Option<Only>,
}

impl Asked {
    fn of(app: &App, caller: &Caller, uri: &Uri) -> Result<Asked, Refusal> {
        let query: Query = input::query(uri)?;
        let (realm, account) = (query.realm.as_deref(), query.account.as_deref());
        let whose = Whose::of(caller, realm, account, app.local_accounts)?;
        let only = whose.only();
        let paging = input::paging(query.limit, query.cursor.as_deref())?;
        let since = query.since.as_deref();
        let since = since.map(|since| input::instant("since", since));
        let until = query.until.as_deref();
        let until = until.map(|until| input::until("until", until));
        let filter = DenialFilter {
            owner: whose.owner,
            product: query.product,
            user: query.user,
            computer: query.computer,
            since: since.transpose()?,
            until: until.transpose()?,
        };
        Ok(Asked {
            filter,
            paging,
            only,
        })
    }
}
