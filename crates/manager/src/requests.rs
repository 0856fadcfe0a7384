//! Handles a request: finds its sender, the page that sent it, its body and its route.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::service::Service as _;
use hyper::{Method, Request, Response};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use usher_api::rights::{self, Right, Rights};
use usher_api::{Code, Role};
use usher_http::{
    Bodies, Body, FastHead, FastRequest, Handler, RequestId, Way, Whole, bearer, read_in_time,
    whole_where_it_is,
};

use crate::app::App;
use crate::asker::Asker;
use crate::problem::Refusal;
use crate::routes::{self, foreign};
use crate::secrets::Shown;

/// The answer to a request that caused a panic.
const FAULT: &str = "the manager has a fault, which is in its log: report it";

/// The state with which requests are answered.
pub(crate) struct Requests {
    /// What answers in the present term.
    current: watch::Receiver<Arc<App>>,
    /// The routes of the term in which the last request came.
    routes: RefCell<Routes>,
    bodies: Bodies,
    /// Whether no more connections are accepted.
    is_stopping: watch::Receiver<bool>,
}

#[derive(Clone)]
struct Routes {
    app: Arc<App>,
    router: TowerToHyperService<Router>,
}

impl Routes {
    fn of(app: Arc<App>) -> Routes {
        Routes {
            router: TowerToHyperService::new(routes::router(app.clone())),
            app,
        }
    }
}

impl Requests {
    /// The handler of this manager, until it stops.
    pub(crate) fn new(
        current: watch::Receiver<Arc<App>>,
        is_stopping: watch::Receiver<bool>,
    ) -> Requests {
        let routes = Routes::of(current.borrow().clone());
        Requests {
            current,
            routes: RefCell::new(routes),
            bodies: Bodies::default(),
            is_stopping,
        }
    }

    /// The routes of the present term.
    fn routes(&self) -> Routes {
        let app = self.current.borrow().clone();
        let mut routes = self.routes.borrow_mut();
        if !Arc::ptr_eq(&routes.app, &app) {
            *routes = Routes::of(app);
        }
        routes.clone()
    }

    async fn routed(
        &self,
        way: &Way<()>,
        id: &RequestId,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Refusal> {
        let Routes { app, router } = self.routes();
        let asker = allowed(&app, &request)?;
        foreign::must_not_be(&request)?;
        let changes_nothing = changes_nothing(request.method(), request.uri().path());
        if !changes_nothing {
            app.led.must_be_us()?;
        }
        let mut held = self.bodies.hold();
        let body = read_in_time(&way.watch, &mut request, &mut held).await?;
        let asked = format!("{} {}", request.method(), request.uri().path());
        if let Some(asker) = &asker {
            request.extensions_mut().insert(asker.clone());
            request.extensions_mut().insert(id.clone());
        }
        let answer = router.call(request.map(|_| axum::body::Body::from(body)));
        let Some(asker) = asker else {
            // The router never fails.
            let Ok(answered) = answer.await;
            return Ok(whole(answered).await);
        };
        if !changes_nothing {
            return Ok(whole(to_its_end(asked, id.clone(), answer).await?).await);
        }
        tokio::select! {
            biased;
            () = asker.ended(&app) => Err(not_taken(&app)),
            answered = answer => {
                let Ok(answered) = answered;
                Ok(whole(answered).await)
            }
        }
    }
}

/// Carries out a change completely, even if its sender has gone; else the site database and memory
/// would differ.
async fn to_its_end(
    asked: String,
    id: RequestId,
    answer: impl Future<Output = Result<axum::response::Response, std::convert::Infallible>>
    + Send
    + 'static,
) -> Result<axum::response::Response, Refusal> {
    let work = async move {
        let answering = pin!(async move { id.through(pin!(answer)).await });
        usher_vital::caught(asked, answering).await
    };
    match tokio::spawn(work).await {
        Ok(Ok(Ok(answered))) => Ok(answered),
        // It panicked, or the manager ends.
        Ok(Err(_)) | Err(_) => Err(Refusal::new(Code::Internal, FAULT)),
    }
}

/// Makes a complete body: the manager streams nothing.
async fn whole(answered: axum::response::Response) -> Response<Body> {
    whole_where_it_is(answered, || None::<std::future::Pending<String>>).await
}

impl Handler for Requests {
    type Remembered = ();
    type Note = ();
    /// A manager is asked little: nothing takes the fast path.
    type Fast = Infallible;

    fn fast(&self, _: &Way<()>, _: &FastHead<'_>) -> Option<Infallible> {
        None
    }

    async fn answer_fast(
        &self,
        _: &Way<()>,
        _: &RequestId,
        fast: Infallible,
        _: &FastRequest<'_>,
    ) -> ((), Result<Whole, usher_http::Refusal>) {
        match fast {}
    }

    async fn answer(
        &self,
        way: &Way<()>,
        id: &RequestId,
        request: Request<Incoming>,
    ) -> ((), Result<Response<Body>, usher_http::Refusal>) {
        let answered = Box::pin(self.routed(way, id, request)).await;
        ((), answered.map_err(Into::into))
    }

    fn panicked(&self) -> ((), usher_http::Refusal) {
        ((), usher_http::Refusal::new(Code::Internal, FAULT))
    }

    async fn stopping(&self) {
        // A manager that is gone has stopped.
        let _ = self.is_stopping.clone().wait_for(|is| *is).await;
    }
}

/// Admits a sender with the admin's token or one of a sufficient role: as a bearer token, or, from
/// a browser, as the password of any user name. None: this path needs no token.
fn allowed(app: &App, request: &Request<Incoming>) -> Result<Option<Asker>, Refusal> {
    let path = request.uri().path();
    if path == "/v1/health" || path == "/openapi.json" {
        return Ok(None);
    }
    let header = request.headers().get(AUTHORIZATION);
    let shown = header
        .and_then(|value| token(value.as_bytes()))
        .map(|token| Shown::of(&token))
        .ok_or_else(|| refused(app, "no token was shown"))?;
    let asker = Asker::of(app, shown).ok_or_else(|| not_taken(app))?;
    let needed = needed(request.method(), path);
    match asker.role < needed {
        true => Err(too_small(asker.role, needed, what(request.method(), path))),
        false => Ok(Some(asker)),
    }
}

/// Whether a request only looks, and so ends when who asked goes away. A what-if does, for all that
/// it is posted.
fn changes_nothing(method: &Method, path: &str) -> bool {
    let is_look = matches!(*method, Method::GET | Method::HEAD);
    is_look || *method == Method::POST && path == "/v1/whatif"
}

/// The least role that may do it: viewers look, operators also have a server looked at and bring in what
/// other licence servers know, admins do all else.
fn needed(method: &Method, path: &str) -> Role {
    // A server may be named `poll`: what is done decides, too.
    let is_poll = *method == Method::POST
        && path
            .strip_prefix("/v1/servers/")
            .is_some_and(|rest| rest.ends_with("/poll"));
    // What is there is not taken out by it.
    let is_import = *method == Method::POST
        && path
            .strip_prefix("/v1/imports")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match () {
        () if path == "/v1/tokens" || path.starts_with("/v1/tokens/") => Role::Admin,
        () if changes_nothing(method, path) => Role::Viewer,
        () if is_poll => Role::Operator,
        () if is_import => {
            let least = rights::least(Rights::of(&[Right::Import]));
            least.unwrap_or(Role::Admin)
        }
        () => Role::Admin,
    }
}

/// What a refused request wanted to do, in words.
fn what(method: &Method, path: &str) -> &'static str {
    let part = path.strip_prefix("/v1/").unwrap_or_default();
    match part.split('/').next().unwrap_or_default() {
        "tokens" if *method == Method::GET => "see its tokens",
        "tokens" => "make or revoke its tokens",
        "servers" if part.ends_with("/poll") => "have a server looked at",
        "servers" => "change which servers it watches",
        "message-rules" if part.ends_with("/test") => "test its message rules",
        "message-rules" => "change its message rules",
        "thresholds" => "change its thresholds",
        "products" | "entitlements" => "change what its servers own",
        "imports" if *method == Method::DELETE => "take an import out",
        "imports" => "import what other licence servers know",
        _ => "do this",
    }
}

fn too_small(role: Role, needed: Role, what: &str) -> Refusal {
    let detail = format!(
        "a manager's token of role {} may not {what}: use one of role {}",
        role.as_str(),
        needed.as_str()
    );
    Refusal::new(Code::Forbidden, detail)
}

fn not_taken(app: &App) -> Refusal {
    refused(
        app,
        "the manager does not know the token, or it has expired",
    )
}

fn refused(app: &App, why: &str) -> Refusal {
    Refusal::unauthorized(format!(
        "{why}: the manager takes tokens of its own, not those of its servers. Its \
         administrator's is in {}; `usher token create --role viewer --at-manager` makes others. \
         Agents and commands for seats go to a metering server, whose port is usually 8470",
        app.admin.file().display()
    ))
}

/// The token in an `Authorization` header: a bearer token, or the password of any user name (RFC
/// 7617).
fn token(header: &[u8]) -> Option<String> {
    if let Some(token) = bearer(header) {
        return String::from_utf8(token.to_vec()).ok();
    }
    let (scheme, password) = header.split_at_checked("basic ".len())?;
    let basic = scheme.eq_ignore_ascii_case(b"basic ").then_some(password)?;
    let bytes = STANDARD.decode(basic.trim_ascii()).ok()?;
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
            (Method::POST, "/v1/whatif", Role::Viewer),
            (Method::PUT, "/v1/whatif", Role::Admin),
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
            (Method::GET, "/v1/reports/usage", Role::Viewer),
            (Method::GET, "/v1/reports/gave_up", Role::Viewer),
            (Method::POST, "/v1/reports/usage", Role::Admin),
            (Method::GET, "/v1/imports", Role::Viewer),
            (Method::POST, "/v1/imports", Role::Operator),
            (Method::POST, "/v1/imports/i-1/rows", Role::Operator),
            (Method::POST, "/v1/imports/i-1/finish", Role::Operator),
            (Method::POST, "/v1/importsomething", Role::Admin),
            (Method::DELETE, "/v1/imports/i-1", Role::Admin),
        ];
        for (method, path, role) in cases {
            assert_eq!(needed(&method, path), role, "{method} {path}");
        }
    }

    #[test]
    fn who_may_not_do_something_is_told_what() {
        for (method, path, said) in [
            (Method::GET, "/v1/tokens", "see its tokens"),
            (
                Method::DELETE,
                "/v1/servers/alpha",
                "change which servers it watches",
            ),
            (
                Method::POST,
                "/v1/servers/alpha/poll",
                "have a server looked at",
            ),
            (Method::PUT, "/v1/message-rules", "change its message rules"),
            (Method::POST, "/v1/products", "change what its servers own"),
            (
                Method::POST,
                "/v1/imports/i-1/rows",
                "import what other licence servers know",
            ),
            (Method::DELETE, "/v1/imports/i-1", "take an import out"),
        ] {
            assert_eq!(what(&method, path), said, "{method} {path}");
        }
    }

    #[test]
    fn a_token_is_taken_as_a_bearer_and_as_a_password() {
        assert_eq!(token(b"Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token(b"Basic YWRtaW46YWJj").as_deref(), Some("abc"));
        assert_eq!(token(b"Basic !!"), None);
        assert_eq!(token(b"abc"), None);
    }
}
