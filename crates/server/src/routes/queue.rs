//! `GET /v1/queue`: who waits.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use usher_api::{Page, Problem, QueueEntry};
use usher_store::TicketRow;

use super::{Caller, Json};
use crate::access::whose::Whose;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    product: Option<String>,
    realm: Option<String>,
    account: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Requests that wait, by product, in the order in which they will be served, each with its place
/// among all. A client sees its own user's. An agent sees those of its own computer, or of one
/// person of a directory or of that computer, on all computers.
#[utoipa::path(
    get,
    path = "/v1/queue",
    tag = "seats",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("realm" = Option<String>, Query, description = "Only rows of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only rows of this person: the account"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<QueueEntry>),
        (status = 403, description = "`forbidden`: a client's token, for another person", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<QueueEntry>>, Refusal> {
    let query: Query = input::query(&uri)?;
    let (realm, account) = (query.realm.as_deref(), query.account.as_deref());
    let whose = Whose::of(&caller, realm, account, app.local_accounts)?.on_all_computers();
    let only = whose.only();
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let rows = app
        .history(move |history| {
            let product = query.product.as_deref();
            history.queue(product, &whose.owner, paging.cursor, paging.limit)
        })
        .await?;
    let pace = pace(&app, &rows.rows).await?;
    let mut page = super::page(rows, |row| item(row, &pace));
    page.only = only;
    Ok(Json(StatusCode::OK, page))
}

/// How long each product's last place on the page is expected to wait, as (seconds, place), and for
/// how long every seat of it is kept for somebody's next start.
type Pace = FxHashMap<String, (Option<(u64, u32)>, Option<u64>)>;

/// The pace of each product's queue. Waits grow evenly from place to place, so one estimate for
/// each product is enough.
async fn pace(app: &App, rows: &[TicketRow]) -> Result<Pace, Refusal> {
    let mut last = FxHashMap::default();
    for row in rows {
        last.insert(row.product.clone(), row.id.number);
    }
    if last.is_empty() {
        return Ok(Pace::default());
    }
    app.look(move |ledger, _| {
        let views = last.into_iter().filter_map(|(product, number)| {
            // In this queue alone, whatever else it waits for.
            let ticket = ledger.ticket(number)?;
            let (place, seconds) = ledger.place(ticket);
            let paced = seconds.map(|seconds| (seconds, place));
            Some((product, (paced, ledger.kept_seconds(ticket.product))))
        });
        views.collect()
    })
    .await
}

fn item(row: TicketRow, pace: &Pace) -> QueueEntry {
    let (paced, kept) = pace.get(&row.product).copied().unwrap_or_default();
    let paced =
        paced.map(|(seconds, place)| seconds * u64::from(row.position) / u64::from(place).max(1));
    let expected_wait_seconds = paced.max(kept);
    QueueEntry {
        id: row.id.to_string(),
        product: row.product,
        user: row.user,
        computer: row.computer,
        seats: row.seats,
        priority: row.priority,
        position: row.position,
        queued_at: timestamp(row.queued_at),
        with: row.with.map(|first| first.to_string()),
        expected_wait_seconds,
    }
}
