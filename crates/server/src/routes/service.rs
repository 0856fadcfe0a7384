//! `GET /v1/service`, `POST /v1/service/controls`: the service, by the rules of the Windows service
//! control manager.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode};
use usher_api::{Code, ControlRequest, Problem, Service, ServiceControl};
use usher_core::lifecycle::{Control, Refusal as NotTaken};

use super::{Caller, Json, json_text, replayed};
use crate::access::keys::OnceKey;
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::upkeep::lifecycle::ServiceNow;
use crate::wire::input;
use crate::wire::problem::Refusal;

/// The state of the service, by the names of `SERVICE_STATUS`, and since when. In a pending state
/// also what it waits for, its progress, and how long it may make none.
#[utoipa::path(
    get,
    path = "/v1/service",
    tag = "operation",
    responses(
        (status = 200, body = Service),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Result<Json<Service>, Refusal> {
    Ok(Json(StatusCode::OK, shown(&app.life.seen())))
}

/// Sends the service a control: `stop`, `pause` (nothing new is granted; leases are renewed and
/// given back), `continue`, `interrogate`. The answer has the new state; a pending state ends when
/// its work is done. If the state does not accept the control, the answer has the Win32 error
/// number (1052, 1061, 1062) and the state of the service.
#[utoipa::path(
    post,
    path = "/v1/service/controls",
    tag = "operation",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the first answer again, until the server is restarted")),
    request_body = ControlRequest,
    responses(
        (status = 200, body = Service),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 409, description = "`service_cannot_accept_control`, or `idempotency_conflict`", body = Problem),
    ),
)]
pub(crate) async fn control(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: ControlRequest = input::json(&body)?;
    let once = OnceKey::of(&headers, &caller, "POST /v1/service/controls", &body)?;
    if let Some(once) = once
        && let Some(first) = app.secret_answers.get(once)?
    {
        return Ok(replayed(
            json_text(StatusCode::OK, Bytes::clone(&first)),
            true,
        ));
    }
    let control = match request.control {
        ServiceControl::Stop => Control::Stop,
        ServiceControl::Pause => Control::Pause,
        ServiceControl::Continue => Control::Continue,
        ServiceControl::Interrogate => Control::Interrogate,
    };
    let (taken, seen) = app.life.control(control);
    taken.map_err(|why| not_taken(control, why, &seen))?;
    let text = serde_json::to_vec(&shown(&seen)).map_err(|_| Refusal::unexpected())?;
    let text = Bytes::from(text);
    if let Some(once) = once {
        app.secret_answers.put(once, text.clone());
    }
    Ok(json_text(StatusCode::OK, text))
}

fn not_taken(control: Control, why: NotTaken, seen: &ServiceNow) -> Refusal {
    let status = &seen.report.status;
    let accepts: Vec<&str> = status
        .accepts
        .iter()
        .map(|control| control.name())
        .collect();
    let next = match accepts.is_empty() {
        true => "ask GET /v1/service until its state has changed".to_owned(),
        false => format!("it accepts {}", accepts.join(" and ")),
    };
    Refusal::new(
        Code::ServiceCannotAcceptControl,
        format!(
            "`{}` is not accepted: the service is {}; {} (error {}): {next}",
            control.name(),
            status.state,
            why.meaning(),
            why.number(),
        ),
    )
    .with_service(why.number(), shown(seen))
}

fn shown(seen: &ServiceNow) -> Service {
    let status = &seen.report.status;
    Service {
        state: status.state.name().to_owned(),
        since: timestamp(seen.since_ms),
        checkpoint: status.checkpoint,
        wait_hint_seconds: status.wait_hint.as_secs(),
        accepts: status
            .accepts
            .iter()
            .map(|control| control.name().to_owned())
            .collect(),
        exit_code: status.exit_code,
        work: status.work.map(|work| work.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use usher_core::lifecycle::{Input, Lifecycle, Limits, Report};

    #[test]
    fn a_refused_control_tells_why_by_number_and_what_the_service_does() {
        let mut machine = Lifecycle::new(Limits::default(), Duration::ZERO);
        machine.apply(Duration::ZERO, Input::Start).unwrap();
        let why = machine
            .apply(Duration::ZERO, Input::Control(Control::Pause))
            .unwrap_err();
        let seen = ServiceNow {
            report: Report {
                status: machine.status(),
                trouble: None,
            },
            since_ms: 0,
        };
        let refusal = not_taken(Control::Pause, why, &seen);
        insta::assert_snapshot!(refusal.problem().detail, @"`pause` is not accepted: the service is start_pending; the service cannot accept controls while it starts or stops (error 1061): ask GET /v1/service until its state has changed");
        assert_eq!(refusal.problem().win32_error, Some(1061));
        let service = refusal.problem().service.as_ref().unwrap();
        assert_eq!(
            (service.state.as_str(), service.checkpoint),
            ("start_pending", 1)
        );
        assert_eq!(service.work.as_deref(), Some("opening files"));
    }
}
