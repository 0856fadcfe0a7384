//! `/v1/pack`: upkeep of the store.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode};
use jiff::tz::TimeZone;
use usher_api::{Code, Pack, PackSchedule, PackState, Problem, Timestamp};
use usher_core::schedule::{Planned, Schedule};

use super::{Caller, Json, json_text, no_content, replayed};
use crate::access::keys::OnceKey;
use crate::state::app::App;
use crate::upkeep::packs::PackNow;
use crate::upkeep::report::report;
use crate::wire::input;
use crate::wire::problem::{Refusal, shown as quoted};

/// Whether a pack runs, how far it is, when the next one is due, and what the last one did. For
/// viewers, operators and admins.
#[utoipa::path(
    get,
    path = "/v1/pack",
    tag = "operation",
    responses(
        (status = 200, body = Pack),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<Json<Pack>, Refusal> {
    Ok(Json(StatusCode::OK, shown(&app)))
}

/// Starts a pack now, besides the schedule. While the server serves, it removes rows past their
/// retention, shrinks the file, updates its statistics and checks its contents. A pack that was
/// interrupted resumes. For operators and admins.
#[utoipa::path(
    post,
    path = "/v1/pack",
    tag = "operation",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gets the first answer again, until the server is restarted")),
    responses(
        (status = 202, description = "The pack has started", body = Pack),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 409, description = "`pack_running`, or `idempotency_conflict`", body = Problem),
    ),
)]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let once = OnceKey::of(&headers, &caller, "POST /v1/pack", &body)?;
    if let Some(once) = once
        && let Some(first) = app.secret_answers.get(once)?
    {
        let first = json_text(StatusCode::ACCEPTED, Bytes::clone(&first));
        return Ok(replayed(first, true));
    }
    app.upkeep.begin().map_err(|_| running())?;
    let text = serde_json::to_vec(&shown(&app)).map_err(|_| Refusal::unexpected())?;
    let text = Bytes::from(text);
    if let Some(once) = once {
        app.secret_answers.put(once, text.clone());
    }
    Ok(json_text(StatusCode::ACCEPTED, text))
}

/// Stops a running pack after its current step. What it has done stays, and the next pack starts
/// from the beginning. If none runs, nothing changes. For operators and admins.
#[utoipa::path(
    delete,
    path = "/v1/pack",
    tag = "operation",
    responses(
        (status = 204, description = "The pack is stopping, or none runs"),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn stop(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    app.upkeep.stop();
    Ok(no_content())
}

/// Sets the schedule of packs and its time zone. For operators and admins.
#[utoipa::path(
    put,
    path = "/v1/pack/schedule",
    tag = "operation",
    request_body = PackSchedule,
    responses(
        (status = 200, body = Pack),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn schedule(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<Pack>, Refusal> {
    let asked: PackSchedule = input::json(&body)?;
    let schedule = Schedule::parse(&input::name("schedule", &asked.schedule)?)
        .map_err(|why| Refusal::invalid(format!("`schedule`: {why}")))?;
    let time_zone = asked.time_zone.unwrap_or_else(|| app.upkeep.time_zone());
    let zone = zone(&input::name("time_zone", &time_zone)?)?;
    let now = Timestamp::now();
    let planned = match asked.pack_time {
        None => Planned::new(schedule, zone, now),
        Some(seconds) => {
            let run = Timestamp::from_second(seconds).map_err(|_| {
                Refusal::invalid(format!(
                    "`pack_time` is {seconds}, which is no instant in Unix seconds"
                ))
            })?;
            Planned::in_step(schedule, zone, run, now)
        }
    };
    app.blocking(move |app| app.upkeep.plan_anew(planned, time_zone))
        .await?;
    Ok(Json(StatusCode::OK, shown(&app)))
}

fn running() -> Refusal {
    Refusal::new(
        Code::PackRunning,
        "a pack runs already: GET /v1/pack tells how far it is; wait for it, or stop it with \
         DELETE /v1/pack",
    )
}

fn zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| {
        Refusal::invalid(format!(
            "`time_zone` is {}, which the server's computer does not know: give a name such as \
             Europe/Berlin or UTC, or install its time zones (tzdata)",
            quoted(name)
        ))
    })
}

/// The state of packs for an answer. Never waits for the disk.
pub(crate) fn shown(app: &App) -> Pack {
    let PackNow {
        progress,
        plan,
        last,
    } = app.upkeep.seen();
    Pack {
        state: match progress {
            Some(_) => PackState::Running,
            None => PackState::Idle,
        },
        progress: progress.unwrap_or(0.0),
        schedule: plan.schedule,
        time_zone: plan.time_zone,
        pack_time: plan.pack_time,
        last: last.map(report),
    }
}
