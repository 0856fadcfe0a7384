//! `/v1/tickets/{id}`: the state of a waiting request.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use hyper::header::{HeaderValue, USER_AGENT};
use hyper::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use tokio::time::Instant;
use usher_api::{self as api, Also, PassedOver, Problem, TicketAnswer, TicketState};
use usher_core::ledger::{self, Access, Command, KEEP_SECONDS, Reply, TicketId};
use usher_store::Answer;

use super::{Caller, Id, Json};
use crate::access::auth::Principal;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::Refusal;
use crate::wire::records;

/// The longest that one poll may wait.
pub(crate) const WAIT_LIMIT_SECONDS: u32 = 300;
/// How often a long poll renews its place: after its connection breaks, the place is lost within
/// this time and [`KEEP_SECONDS`].
const SLICE_SECONDS: u64 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    wait_seconds: Option<u32>,
}

/// The state of a ticket. With `wait_seconds`, the server answers when the ticket is granted or
/// over, when it stops granting anything or goes on, or after that time. Each poll keeps the place for 30 s after it ends. A granted seat that
/// is not fetched within 15 s goes to the next. If the token is revoked or expires, a poll ends
/// with 401 and takes no seat; if a user's or computer's token is revoked, its places are given up,
/// too.
#[utoipa::path(
    get,
    path = "/v1/tickets/{id}",
    tag = "seats",
    params(
        ("id" = String, Path, description = "Ticket id"),
        ("wait_seconds" = Option<u32>, Query, description = "Seconds to wait for a change: 0 to 300, 0 by default"),
    ),
    responses(
        (status = 200, body = TicketAnswer),
        (status = 404, description = "`unknown_ticket`: it is forgotten, never existed, or is another's", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<TicketAnswer>, Refusal> {
    let query: Query = input::query(&uri)?;
    let wait = input::within(
        "wait_seconds",
        query.wait_seconds.unwrap_or(0),
        0,
        WAIT_LIMIT_SECONDS,
    )?;
    let ticket: TicketId = input::id(&id, Refusal::unknown_ticket)?;
    let until = Instant::now() + Duration::from_secs(u64::from(wait));
    let _place = Place {
        app: app.clone(),
        ticket,
        who: caller.who(),
    };
    let watch = app.live.tickets.watch(ticket.number);
    let granted_nothing = app.grants_nothing().is_some();
    loop {
        let (changed, service) = (watch.changed(), app.life.state());
        let left = until.saturating_duration_since(Instant::now());
        let slice = left.min(Duration::from_secs(SLICE_SECONDS));
        let answer = poll(&app, &caller, ticket, slice, &id).await?;
        // Who waits is told when nothing is granted any more, or something is again.
        let is_news = answer.grants_nothing.is_some() != granted_nothing;
        let is_over = answer.state != TicketState::Waiting || is_news;
        if is_over || slice.is_zero() || app.is_stopping() {
            let answer = for_caller(answer, headers.get(USER_AGENT));
            return Ok(Json(StatusCode::OK, answer));
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(slice) => {}
            () = app.stopping() => {}
            _ = app.life.other_than(service) => {}
        }
    }
}

/// The place of a polling request. If its token is revoked, the place is given up at once, and not
/// kept for the time after a poll.
struct Place {
    app: Arc<App>,
    ticket: TicketId,
    who: Arc<Principal>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Who may look at all tickets gives up none by looking.
        let is_own = self.who.access != Access::Anyone;
        if !is_own || !self.who.is_revoked() {
            return;
        }
        let command = Command::Cancel {
            ticket: self.ticket,
            access: self.who.access.clone(),
        };
        let app = self.app.clone();
        tokio::spawn(async move {
            // If it cannot be written, the place is lost a little later.
            if let Err(refusal) = app.command(command).await {
                tracing::debug!(
                    why = refusal.problem().detail,
                    "a place in the queue could not be given up now"
                );
            }
        });
    }
}

async fn poll(
    app: &App,
    who: &Principal,
    ticket: TicketId,
    wait: Duration,
    id: &str,
) -> Result<TicketAnswer, Refusal> {
    let keep = wait.as_secs() + u64::from(wait.subsec_nanos() > 0) + KEEP_SECONDS;
    let command = Command::Poll {
        ticket,
        access: who.access.clone(),
        keep_seconds: u32::try_from(keep).unwrap_or(u32::MAX),
    };
    let answer = app.command(command).await?;
    shown(app, answer).ok_or_else(|| Refusal::unknown_ticket(id))
}

/// The answer in words that the caller knows: builds before 0.3 do not know `denied` and could not
/// read the answer.
fn for_caller(answer: TicketAnswer, agent: Option<&HeaderValue>) -> TicketAnswer {
    let minor_version = || {
        let version = agent?.to_str().ok()?.strip_prefix("usher/0.")?;
        version.split('.').next()?.parse::<u32>().ok()
    };
    match answer.state {
        TicketState::Denied if minor_version().is_some_and(|minor| minor < 3) => TicketAnswer {
            state: TicketState::Cancelled,
            ..answer
        },
        _ => answer,
    }
}

/// A ticket in the form of the API; `None`: there is no such ticket.
fn shown(app: &App, answer: Answer) -> Option<TicketAnswer> {
    let now = answer.at;
    let Reply::Ticket {
        view,
        product,
        user,
        computer,
    } = answer.reply
    else {
        return None;
    };
    let (state, expires_at) = match view.ticket.state {
        ledger::TicketState::Waiting { alive_until, .. } => {
            let expires_at = records::estimate(alive_until, now);
            (TicketState::Waiting, Some(expires_at))
        }
        ledger::TicketState::Denied { .. } => (TicketState::Denied, None),
        ledger::TicketState::Granted { .. } => (TicketState::Granted, None),
        ledger::TicketState::Expired { .. } => (TicketState::Expired, None),
        ledger::TicketState::Cancelled { .. } => (TicketState::Cancelled, None),
    };
    let (reason, decision) = match view.ticket.state {
        ledger::TicketState::Denied {
            reason, decision, ..
        } => (Some(records::reason(reason)), Some(decision.to_string())),
        _ => (None, None),
    };
    let passed_over = match view.ticket.state {
        ledger::TicketState::Waiting {
            aside: Some(aside), ..
        } => Some(PassedOver {
            why: records::passed_over(&product, view.ticket.seats, &view.also),
            denied_at: aside.deny_at.map(|at| records::estimate(at, now)),
        }),
        _ => None,
    };
    let also: Vec<Also> = view.also.iter().map(records::also).collect();
    Some(TicketAnswer {
        passed_over,
        grants_nothing: match state {
            TicketState::Waiting => app.grants_nothing(),
            _ => None,
        },
        reason,
        decision_id: decision,
        id: view.ticket.id.to_string(),
        product: product.to_string(),
        state,
        position: (view.position > 0).then_some(view.position),
        expected_wait_seconds: view.expected_wait_seconds,
        expires_at,
        lease: view.lease.map(|lease| {
            let proof = app.proofs.of(lease.id);
            api::Lease {
                also: also.clone(),
                ..records::lease(&lease, now, &product, &user, &computer, proof)
            }
        }),
        also,
    })
}

/// Withdraws a request. If a seat was already granted, it is given back.
#[utoipa::path(
    delete,
    path = "/v1/tickets/{id}",
    tag = "seats",
    params(("id" = String, Path, description = "Ticket id")),
    responses(
        (status = 204, description = "The request no longer waits"),
        (status = 404, description = "`unknown_ticket`: it is forgotten, never existed, or is another's", body = Problem),
    ),
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let ticket: TicketId = input::id(&id, Refusal::unknown_ticket)?;
    let command = Command::Cancel {
        ticket,
        access: caller.access.clone(),
    };
    match app.command(caller.acts_on_others(command)).await?.reply {
        Reply::Done => Ok(super::no_content()),
        Reply::UnknownTicket => Err(Refusal::unknown_ticket(&id)),
        _ => Err(Refusal::unexpected()),
    }
}
