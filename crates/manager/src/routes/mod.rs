//! The routes: one file for each resource.

mod foreign;
pub(crate) mod messages;
pub(crate) mod servers;
pub(crate) mod service;
pub(crate) mod standing;
pub(crate) mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::AUTHORIZATION;
use usher_api::{Code, Role};
use utoipa::OpenApi;

use crate::app::App;
use crate::page;
use crate::problem::Refusal;
use crate::secrets::Shown;

/// The descriptions of all routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Usher manager", description = "Watches metering servers"),
    paths(
        servers::list,
        servers::add,
        servers::get,
        servers::change,
        servers::remove,
        servers::poll,
        messages::list,
        messages::catalogue,
        messages::rules,
        messages::put_rules,
        messages::test_rule,
        messages::deliveries,
        standing::summaries,
        standing::thresholds,
        standing::put_thresholds,
        tokens::list,
        tokens::create,
        tokens::revoke,
        service::health,
        service::metrics,
        service::description,
    )
)]
pub(crate) struct Described;

/// All of them.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page::get))
        .route("/v1/servers", get(servers::list).post(servers::add))
        .route(
            "/v1/servers/{name}",
            get(servers::get)
                .patch(servers::change)
                .delete(servers::remove),
        )
        .route("/v1/servers/{name}/poll", post(servers::poll))
        .route("/v1/messages", get(messages::list))
        .route("/v1/messages/catalogue", get(messages::catalogue))
        .route("/v1/summaries", get(standing::summaries))
        .route(
            "/v1/thresholds",
            get(standing::thresholds).put(standing::put_thresholds),
        )
        // As it was called before.
        .route("/v1/messages/summaries", get(standing::summaries))
        .route(
            "/v1/message-rules",
            get(messages::rules).put(messages::put_rules),
        )
        .route("/v1/deliveries", get(messages::deliveries))
        .route("/v1/message-rules/test", post(messages::test_rule))
        .route("/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/v1/tokens/{id}", delete(tokens::revoke))
        .route("/v1/health", get(service::health))
        .route("/metrics", get(service::metrics))
        .route("/openapi.json", get(service::description))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn(foreign::refused))
        .layer(middleware::from_fn_with_state(app.clone(), allowed))
        .layer(DefaultBodyLimit::max(usher_api::BODY_LIMIT_BYTES))
        .layer(middleware::from_fn(each))
        .with_state(app)
}

/// A panic ends that request alone. A change goes on to its end, though who asked for it has gone:
/// what is in the site database and what is held beside it would differ else.
async fn each(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD);
    let answering =
        async move { usher_vital::caught(asked, std::pin::pin!(next.run(request))).await };
    let answered = match is_look {
        true => answering.await,
        false => match tokio::spawn(answering).await {
            Ok(answered) => answered,
            // The manager ends.
            Err(_) => Err(usher_vital::Caught),
        },
    };
    let panicked = |_| {
        let detail = "the manager has a fault, which is in its log: report it";
        Refusal::new(Code::Internal, detail).into_response()
    };
    answered.unwrap_or_else(panicked)
}

async fn no_route() -> Refusal {
    Refusal::new(
        Code::NotFound,
        "nothing is here: GET /openapi.json lists what there is",
    )
}

async fn no_method() -> Refusal {
    Refusal::new(
        Code::MethodNotAllowed,
        "this route knows other methods: GET /openapi.json lists them",
    )
}

/// Lets pass whoever shows the admin's token, or one of a role that is enough: as a bearer, or, for
/// a browser, as the password of any name. A look that waits ends with its token.
async fn allowed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == "/v1/health" || path == "/openapi.json" {
        return next.run(request).await;
    }
    let shown = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(token)
        .map(|token| Shown::of(&token));
    let Some(shown) = shown else {
        return refused(&app, "no token was shown");
    };
    let is_admins = app.admin.is(shown);
    let role = match is_admins {
        true => Role::Admin,
        false => match app.book.role(shown) {
            Some(role) => role,
            None => return refused(&app, "the token is none of this manager's, or over"),
        },
    };
    let needed = needed(request.method(), path);
    if role < needed {
        return too_small(role, needed);
    }
    let is_look = request.method() == Method::GET;
    let ended = async {
        match is_admins {
            true => app.admin.ended(shown).await,
            false => app.book.ended(shown).await,
        }
    };
    tokio::select! {
        biased;
        // A change that has begun is answered: only a look is given up.
        () = ended, if is_look => refused(&app, "the token is none of this manager's, or over"),
        response = next.run(request) => response,
    }
}

/// The least role that may do it: viewers look, operators also have a server looked at, admins do
/// all else.
fn needed(method: &Method, path: &str) -> Role {
    let is_look = matches!(*method, Method::GET | Method::HEAD);
    // A server may be named `poll`: what is done decides, too.
    let is_poll = *method == Method::POST
        && path
            .strip_prefix("/v1/servers/")
            .is_some_and(|rest| rest.ends_with("/poll"));
    match () {
        () if path == "/v1/tokens" || path.starts_with("/v1/tokens/") => Role::Admin,
        () if is_look => Role::Viewer,
        () if is_poll => Role::Operator,
        () => Role::Admin,
    }
}

fn too_small(role: Role, needed: Role) -> Response {
    let detail = format!(
        "a manager's token of role {} may not do this: use one of role {}",
        role.as_str(),
        needed.as_str()
    );
    Refusal::new(Code::Forbidden, detail).into_response()
}

fn refused(app: &App, why: &str) -> Response {
    let detail = format!(
        "{why}: the manager takes tokens of its own, not those of its servers. Its \
         administrator's is in {}; `usher token create --role viewer --at-manager` makes others. \
         Agents and commands for seats go to a metering server, whose port is 8470 as a rule",
        app.admin.file().display()
    );
    Refusal::new(Code::Unauthorized, detail).into_response()
}

fn token(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let basic = scheme.eq_ignore_ascii_case("basic").then(|| rest.trim())?;
    let bytes = STANDARD.decode(basic).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':')
        .map(|(_, password)| password.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_looks_an_operator_polls_and_an_admin_changes() {
        let cases = [
            (Method::GET, "/v1/servers", Role::Viewer),
            (Method::GET, "/v1/messages", Role::Viewer),
            (Method::GET, "/", Role::Viewer),
            (Method::POST, "/v1/servers/alpha/poll", Role::Operator),
            (Method::POST, "/v1/servers", Role::Admin),
            (Method::POST, "/v1/servers/poll/poll", Role::Operator),
            (Method::DELETE, "/v1/servers/alpha", Role::Admin),
            (Method::PATCH, "/v1/servers/alpha", Role::Admin),
            (Method::DELETE, "/v1/servers/alpha/poll", Role::Admin),
            (Method::DELETE, "/v1/servers/poll", Role::Admin),
            (Method::POST, "/v1/servers/poll", Role::Admin),
            (Method::PUT, "/v1/message-rules", Role::Admin),
            (Method::GET, "/v1/tokens", Role::Admin),
            (Method::DELETE, "/v1/tokens/m-1", Role::Admin),
        ];
        for (method, path, role) in cases {
            assert_eq!(needed(&method, path), role, "{method} {path}");
        }
    }

    #[test]
    fn a_token_is_taken_as_a_bearer_and_as_a_password() {
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("Basic YWRtaW46YWJj").as_deref(), Some("abc"));
        assert_eq!(token("Basic !!"), None);
        assert_eq!(token("abc"), None);
    }
}
