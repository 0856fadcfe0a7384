//! What local users may ask: seats under their own account, their own data, covers for their own
//! processes, the product of a file, the state of the agent.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State as AxumState};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use usher_api::Code;

use super::answers::{Answer, App, BODY_LIMIT, Id, Refusal, answer};
use super::peer::Peer;
use super::{
    State, covers, displays, enforcement, identify, leases, mine, notices, status, tickets,
};
use crate::base::lock;

/// How long a refresh waits for the server.
const REFRESH_LIMIT: Duration = Duration::from_secs(5);

/// All routes.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/checkouts", post(leases::checkout))
        .route(
            "/v1/tickets/{id}",
            get(tickets::ticket).delete(tickets::leave),
        )
        .route("/v1/leases/{id}/renew", post(leases::renew))
        .route("/v1/leases/{id}", delete(leases::checkin))
        .route("/v1/leases", get(mine::leases))
        .route("/v1/queue", get(mine::listed))
        .route("/v1/denials", get(mine::listed))
        .route("/v1/waits", get(mine::listed))
        .route("/v1/sessions", get(mine::listed))
        .route("/v1/usage", get(mine::listed))
        .route("/v1/usage/users", get(mine::listed))
        .route("/v1/usage/days", get(mine::listed))
        .route("/v1/decisions/{id}", get(mine::decision))
        .route("/v1/status", get(mine::status))
        .route("/v1/products/{id}", get(product))
        .route(
            "/v1/products/{id}/tell-me",
            post(notices::tell_me_of).delete(notices::leave),
        )
        .route("/v1/notices", get(notices::list))
        .route("/v1/notices/{id}/tell-me", post(notices::tell_me))
        .route("/v1/covers", post(covers::take))
        .route("/v1/agents/leases/{id}", get(covers::held))
        .route("/v1/displays", post(displays::report))
        .route("/v1/identify", post(identify::identify))
        .route("/v1/agent", get(status::status))
        .route("/v1/refresh", post(refresh))
        .route("/v1/enforcement", put(enforcement::switch))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_methods)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(each))
        .with_state(state)
}

/// A panic ends that request alone.
async fn each(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let answered = usher_vital::caught(asked, pin!(next.run(request))).await;
    let panicked = |_| {
        let detail = "the agent has a fault, which is in its log: report it";
        Refusal::new(Code::Internal, detail).into_response()
    };
    answered.unwrap_or_else(panicked)
}

async fn other_methods(method: Method, uri: Uri) -> Refusal {
    Refusal::new(
        Code::MethodNotAllowed,
        format!("{} does not take {method}", uri.path()),
    )
}

async fn nothing_here() -> Refusal {
    Refusal::new(
        Code::NotFound,
        "an agent's local socket has no such route; ask the server",
    )
}

/// A product as the agent has it: its policy holds also while the server is away.
async fn product(AxumState(state): App, Id(id): Id) -> Answer {
    let agent = lock(&state.agent);
    match agent.rulebook().product(&id) {
        Some(product) => answer(StatusCode::OK, product),
        None => Err(Refusal::new(
            Code::UnknownProduct,
            format!("the agent knows no product {id:?}"),
        )),
    }
}

/// Exchanges with the server now, so that what was just changed there holds here.
async fn refresh(AxumState(state): App, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer {
    if !state.refreshes.may(peer.account, std::time::Instant::now()) {
        return Err(Refusal::new(
            Code::Busy,
            "this account has asked for an exchange with the server too often: there is one by \
             itself soon, or try again in a second",
        ));
    }
    let mut exchanges = state.exchanges.clone();
    let after = exchanges.borrow().begun;
    state.changed.notify_one();
    let ended = exchanges.wait_for(|exchanges| exchanges.ended > after);
    match tokio::time::timeout(REFRESH_LIMIT, ended).await {
        Ok(Ok(_)) if lock(&state.agent).link().is_up() => {
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => {
            let why = lock(&state.agent).link().why_not(&state.server);
            let why = why.unwrap_or_else(|| format!("{} does not answer", state.server));
            let detail = format!("{why}; what runs is kept until it answers");
            Err(Refusal::new(Code::ServerUnreachable, detail))
        }
    }
}
