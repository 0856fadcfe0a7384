//! `/v1/history/consumers`: the consumers of the history, and how far each has collected.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;
use usher_api::{Acknowledge, Code, HistoryConsumer, Page, Problem};
use usher_core::ledger::{EventNumber, Incarnation};
use usher_store::{CONSUMERS_LIMIT, Consumer, HistoryPoint, NotTaken};

use super::{Id, Json, no_content};
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::{Refusal, shown};

/// The consumers of the history, by name. For viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/history/consumers",
    tag = "history",
    responses(
        (status = 200, body = Page<HistoryConsumer>),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
) -> Result<Json<Page<HistoryConsumer>>, Refusal> {
    let all = app
        .blocking(|app| app.engine.consumers().list(wall_ms()))
        .await?;
    // Never more than a page: their number is bounded.
    let page = Page {
        items: all.into_iter().map(consumer).collect(),
        next: None,
        only: None,
        time: None,
    };
    Ok(Json(StatusCode::OK, page))
}

/// Acknowledges that a consumer has stored what ended up to a point: a pack may remove that 14 days
/// later, if it is past its retention. A point before the last one changes nothing. The first
/// acknowledgement creates the consumer. For operators and admins.
#[utoipa::path(
    put,
    path = "/v1/history/consumers/{name}",
    tag = "history",
    params(("name" = String, Path, description = "Its name")),
    request_body = Acknowledge,
    responses(
        (status = 200, body = HistoryConsumer),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 409, description = "`unknown_history`: no such point; `too_many_consumers`", body = Problem),
    ),
)]
pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    Id(name): Id,
    body: Bytes,
) -> Result<Json<HistoryConsumer>, Refusal> {
    let asked: Acknowledge = input::json(&body)?;
    must_be_a_name(&name)?;
    let point = HistoryPoint {
        incarnation: Incarnation(asked.incarnation),
        event: EventNumber(asked.through_event),
    };
    let taken = app
        .blocking(move |app| {
            // What it has may be durable and not yet in the tables that are looked at.
            app.engine.settle()?;
            app.engine.consumers().acknowledge(&name, point, wall_ms())
        })
        .await?;
    match taken {
        Ok(it) => Ok(Json(StatusCode::OK, consumer(it))),
        Err(NotTaken::NotHere) => Err(Refusal::new(
            Code::UnknownHistory,
            "this is no point of the history: give `through_incarnation` and `through_event` of a \
             page of GET /v1/history",
        )),
        Err(NotTaken::TooMany) => Err(Refusal::new(
            Code::TooManyConsumers,
            format!(
                "{CONSUMERS_LIMIT} collect the history, which is the limit: DELETE \
                 /v1/history/consumers/NAME forgets one that is gone"
            ),
        )),
    }
}

/// Removes a consumer: nothing is kept for it any more. For operators and admins.
#[utoipa::path(
    delete,
    path = "/v1/history/consumers/{name}",
    tag = "history",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is not there, now or before"),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn forget(State(app): State<Arc<App>>, Id(name): Id) -> Result<Response, Refusal> {
    app.blocking(move |app| app.engine.consumers().forget(&name))
        .await?;
    Ok(no_content())
}

fn must_be_a_name(name: &str) -> Result<(), Refusal> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match (1..=64).contains(&name.len()) && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err(Refusal::invalid(format!(
            "{} is not a valid name of a consumer: give 1 to 64 letters, digits, dots, dashes and \
             underscores",
            shown(name)
        ))),
    }
}

fn consumer(it: Consumer) -> HistoryConsumer {
    HistoryConsumer {
        name: it.name,
        since: timestamp(it.since),
        acknowledged_at: timestamp(it.asked_at),
        through_event: it.through,
        kept_after_event: it.kept_after,
        live: it.is_live,
    }
}
