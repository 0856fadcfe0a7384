//! The way of a request: who asks, what it says, which route. The hot routes are matched by hand;
//! all others go through the router.

use std::cell::RefCell;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::service::Service as _;
use hyper::{Method, Request, Response, Uri};
use hyper_util::service::TowerToHyperService;
use usher_api::Code;

use crate::access::auth::{LastAsker, Principal};
use crate::base::candidate::candidate;
use crate::base::clock::wall_ms;
use crate::base::limits::BODY_SECONDS;
use crate::engine::metrics::CoreCounts;
use crate::net::body::{self, Bodies, Held};
use crate::net::watch::Watch;
use crate::routes::{self, Hot, RequestNumber, RouteIndex};
use crate::state::app::App;
use crate::state::core::Core;
use crate::wire::answer::Body;
use crate::wire::problem::Refusal;

/// What one core takes requests in with.
pub(crate) struct Service {
    pub(crate) core: Core,
    bodies: Bodies,
    router: TowerToHyperService<Router>,
}

impl Service {
    /// A core of this server.
    pub(crate) fn new(app: Arc<App>, counts: Arc<CoreCounts>) -> Service {
        Service {
            router: TowerToHyperService::new(routes::router(app.clone())),
            core: Core::new(app, counts),
            bodies: Bodies::default(),
        }
    }
}

/// Answers one request of a connection.
pub(crate) async fn answer(
    service: Rc<Service>,
    connection: Rc<Watch>,
    asker: Rc<RefCell<LastAsker>>,
    peer: Option<IpAddr>,
    request: Request<Incoming>,
) -> Response<Body> {
    let began = Instant::now();
    let busy = connection.busy();
    let asked = Asked(request.method().clone(), request.uri().clone());
    let hot = Hot::of(&request);
    // Of an agent that is turned away it says which.
    let shown = hot.filter(|hot| *hot == Hot::Sync);
    let shown = shown.and_then(|_| request.headers().get(AUTHORIZATION).cloned());
    let answering = pin!(async {
        usher_vital::plant::here("request");
        match hot {
            Some(hot) => (
                hot.index(),
                hot_route(&service, &connection, &asker, hot, request).await,
            ),
            None => Box::pin(cold_route(&service, &connection, &asker, request)).await,
        }
    });
    // What cores share is locked for single steps, each of which leaves it whole.
    let (route, answered) = usher_vital::caught(asked, answering)
        .await
        .unwrap_or_else(|_| (routes::TABLE.len(), Err(Refusal::panicked())));
    let response = answered.unwrap_or_else(|refusal| {
        if let (true, Some(peer)) = (route == Hot::Sync.index(), peer) {
            turned_away(&service.core.app, peer, shown.as_ref(), &refusal);
        }
        refusal.into_response()
    });
    let counts = &service.core.counts;
    counts.note(route, response.status().as_u16(), began.elapsed());
    response.map(|body| body.guarded(busy))
}

/// Remembers an agent that is not taken, whether it is unknown or may not report for its computer.
fn turned_away(app: &App, peer: IpAddr, shown: Option<&HeaderValue>, refusal: &Refusal) {
    let problem = refusal.problem();
    if matches!(problem.status, 401 | 403) {
        let computer = shown.and_then(|shown| app.tokens.computer_of(shown.as_bytes()));
        app.door
            .note(peer, &problem.detail, computer.as_deref(), wall_ms());
    }
}

/// A request, as the log calls it.
struct Asked(Method, Uri);

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0, self.1.path())
    }
}

async fn hot_route(
    service: &Service,
    connection: &Watch,
    asker: &RefCell<LastAsker>,
    hot: Hot,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let who = asker
        .borrow_mut()
        .identify(request.headers(), &service.core.app.tokens)?;
    who.must_be_for(request.uri().path())?;
    let mut held = service.bodies.hold();
    let body = body_of(connection, &mut request, &mut held).await?;
    // The body may have taken its time.
    who.must_be_valid()?;
    if let Some(query) = request.uri().query() {
        return Err(Refusal::invalid(format!(
            "{} takes no query, and `{}` was sent: leave it out",
            request.uri().path(),
            crate::wire::problem::shown(query)
        )));
    }
    let core = &service.core;
    match hot {
        Hot::Checkout => routes::checkouts::create(core, &who, request.headers(), &body).await,
        Hot::Renew => {
            let path = request.uri().path();
            let id = &path["/v1/leases/".len()..path.len() - "/renew".len()];
            routes::leases::renew(core, &who, request.headers(), id, &body).await
        }
        Hot::Checkin => {
            let id = &request.uri().path()["/v1/leases/".len()..];
            routes::leases::checkin(core, &who, id).await
        }
        Hot::Sync => routes::agents::sync(core, &who, &body).await,
    }
}

/// The body of a request, if it comes in time.
async fn body_of(
    connection: &Watch,
    request: &mut Request<Incoming>,
    held: &mut Held<'_>,
) -> Result<Bytes, Refusal> {
    let reading = connection.reading();
    tokio::select! {
        biased;
        body = body::read(request, held) => body,
        () = reading.late() => Err(Refusal::new(
            Code::RequestTimeout,
            format!("the body has not come whole within {BODY_SECONDS} seconds: send it again"),
        )),
    }
}

async fn cold_route(
    service: &Service,
    connection: &Watch,
    asker: &RefCell<LastAsker>,
    mut request: Request<Incoming>,
) -> (usize, Result<Response<Body>, Refusal>) {
    let no_route = routes::TABLE.len();
    let number = RequestNumber(candidate());
    let mut held = service.bodies.hold();
    let mut who = None;
    if !routes::is_open(request.uri().path()) {
        let found = asker
            .borrow_mut()
            .identify(request.headers(), &service.core.app.tokens)
            .and_then(|found| found.must_be_for(request.uri().path()).map(|()| found));
        match found {
            Ok(found) => who = Some(found),
            Err(refusal) => return (no_route, Err(refusal)),
        }
    }
    let body = match body_of(connection, &mut request, &mut held).await {
        Ok(body) => body,
        Err(refusal) => return (no_route, Err(refusal)),
    };
    let is_look = request.method() == Method::GET;
    let mut request = request.map(|_| axum::body::Body::from(body));
    let answered = match &who {
        None => service.router.call(request).await,
        Some(who) => {
            // The body may have taken its time.
            if let Err(refusal) = who.must_be_valid() {
                return (no_route, Err(refusal));
            }
            request.extensions_mut().insert(who.clone());
            request.extensions_mut().insert(number);
            let answer = service.router.call(request);
            tokio::select! {
                biased;
                // A change that has begun is answered: only a look is given up.
                refusal = who.clone().ended(), if is_look => return (no_route, Err(refusal)),
                answered = answer => answered,
            }
        }
    };
    // The router is always ready and never fails.
    let Ok(mut response) = answered;
    let route = response
        .extensions_mut()
        .remove::<RouteIndex>()
        .map_or(no_route, |index| index.0);
    if !is_look && let Ok(value) = HeaderValue::from_str(&format!("{:016x}", number.0)) {
        response.headers_mut().insert("x-request-id", value);
    }
    (route, Ok(whole_where_it_is(response, who).await))
}

/// Answers up to this size are sent whole.
const WHOLE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// Answers that are whole already need not be treated as streams, which end with their token.
async fn whole_where_it_is(
    response: axum::response::Response,
    who: Option<Arc<Principal>>,
) -> Response<Body> {
    use hyper::body::Body as _;
    let (head, body) = response.into_parts();
    let body = match body.size_hint().exact() {
        Some(0) => Body::empty(),
        None => Body::stream(body, who.map(Principal::why_ended)),
        Some(size) if size > WHOLE_LIMIT_BYTES => Body::stream(body, who.map(Principal::why_ended)),
        Some(size) => match axum::body::to_bytes(body, size as usize).await {
            Ok(bytes) => Body::Whole(Some(bytes)),
            Err(error) => {
                tracing::error!(%error, "an answer that was whole could not be read");
                return Refusal::unexpected().into_response();
            }
        },
    };
    Response::from_parts(head, body)
}

impl Hot {
    /// The hot route of a request, if it is one's.
    fn of(request: &Request<Incoming>) -> Option<Hot> {
        let path = request.uri().path();
        let method = request.method();
        if method == Method::POST && path == "/v1/checkouts" {
            return Some(Hot::Checkout);
        }
        if let Some(rest) = path.strip_prefix("/v1/leases/") {
            let (id, renew) = match rest.split_once('/') {
                None => (rest, false),
                Some((id, "renew")) => (id, true),
                Some(_) => return None,
            };
            return match (id.is_empty(), renew) {
                (false, false) if method == Method::DELETE => Some(Hot::Checkin),
                (false, true) if method == Method::POST => Some(Hot::Renew),
                _ => None,
            };
        }
        (method == Method::POST && path == "/v1/agents/sync").then_some(Hot::Sync)
    }
}
