//! Handles a request: finds its sender, its body and its route. The hot routes are matched by hand;
//! all others go through the router.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::Service as _;
use hyper::{Method, Request, Response};
use hyper_util::service::TowerToHyperService;
use usher_http::{
    Bodies, Body, FastHead, FastRequest, Handler, RequestId, Way, Whole, hold_whole, read_in_time,
    whole_where_it_is,
};

use crate::access::auth::{LastAsker, Principal};
use crate::access::numbers::RequestNumber;
use crate::access::rights::Right;
use crate::access::{behalf, keys};
use crate::base::clock::wall_ms;
use crate::engine::metrics::CoreCounts;
use crate::routes::{self, Hot, RouteIndex};
use crate::state::app::App;
use crate::state::per_core::Core;
use crate::state::turned_away::distrust;
use crate::wire::problem::Refusal;

/// A request of a hot route, and its sender.
pub(crate) struct FastAsk {
    hot: Hot,
    who: Arc<Principal>,
}

/// What one core handles requests with.
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

impl Handler for Service {
    /// Most connections use one token.
    type Remembered = LastAsker;
    /// The index of the route in the table; the last one stands for all other paths.
    type Note = usize;
    type Fast = FastAsk;

    fn fast(&self, way: &Way<LastAsker>, head: &FastHead<'_>) -> Option<FastAsk> {
        let hot = Hot::of(head.method, head.target)?;
        // Nothing that is to be decoded, and no query.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-".contains(&byte);
        if !head.target.bytes().all(is_plain) || head.get(&behalf::ON_BEHALF_OF).is_some() {
            return None;
        }
        let shown = head.get(&AUTHORIZATION);
        let mut last = way.remembered.borrow_mut();
        let who = last.identify(shown, &self.core.app.tokens).ok()?;
        who.may(Right::SeeSelf).then_some(FastAsk { hot, who })
    }

    async fn answer_fast(
        &self,
        way: &Way<LastAsker>,
        id: &RequestId,
        FastAsk { hot, who }: FastAsk,
        request: &FastRequest<'_>,
    ) -> (usize, Result<Whole, usher_http::Refusal>) {
        let (head, body) = (&request.head, request.body);
        let mut held = self.bodies.hold();
        let answered = match hold_whole(body, head.get(&CONTENT_TYPE), &mut held) {
            Err(refusal) => Err(refusal.into()),
            Ok(()) => {
                let asked = HotRequest {
                    path: head.target,
                    key: head.get(&keys::HEADER),
                    body,
                };
                hot_route(self, &who, id, hot, asked).await
            }
        };
        if let (Hot::Sync, Some(peer), Err(refusal)) = (hot, way.peer, &answered) {
            turned_away(&self.core.app, peer, head.get(&AUTHORIZATION), refusal);
        }
        (hot.index(), answered.map_err(Into::into))
    }

    async fn answer(
        &self,
        way: &Way<LastAsker>,
        id: &RequestId,
        request: Request<Incoming>,
    ) -> (usize, Result<Response<Body>, usher_http::Refusal>) {
        let hot = Hot::of(request.method().as_str(), request.uri().path());
        // Of an agent that is turned away it says which.
        let shown = hot.filter(|hot| *hot == Hot::Sync);
        let shown = shown.and_then(|_| request.headers().get(AUTHORIZATION).cloned());
        let (route, answered) = match hot {
            Some(hot) => {
                let answered = hot_from_afar(self, way, id, hot, request).await;
                (hot.index(), answered.map(Response::from))
            }
            None => Box::pin(cold_route(self, way, id, request)).await,
        };
        if let (Some(Hot::Sync), Some(peer), Err(refusal)) = (hot, way.peer, &answered) {
            let shown = shown.as_ref().map(HeaderValue::as_bytes);
            turned_away(&self.core.app, peer, shown, refusal);
        }
        (route, answered.map_err(Into::into))
    }

    fn panicked(&self) -> (usize, usher_http::Refusal) {
        (routes::TABLE.len(), Refusal::panicked().into())
    }

    fn answered(&self, answered: usher_http::Answered<usize>) {
        let status = answered.status.as_u16();
        let counts = &self.core.counts;
        counts.note(answered.note, status, answered.took);
    }

    fn accepted(&self) {
        usher_vital::plant::thread();
    }

    fn broke(&self, peer: IpAddr, error: &io::Error) {
        if let Some(why) = distrust(error) {
            self.core.app.door.note(peer, why, None, wall_ms());
        }
    }

    fn second(&self, second: u32) {
        self.core.hopper.tick(second);
    }

    fn left(&self, requests: u64) {
        let counts = &self.core.counts;
        counts.in_flight.store(requests, Ordering::Relaxed);
    }

    async fn stopping(&self) {
        self.core.app.stopping().await;
    }
}

/// Remembers an agent that was refused because it is unknown or may not report for its computer.
fn turned_away(app: &App, peer: IpAddr, shown: Option<&[u8]>, refusal: &Refusal) {
    let problem = refusal.problem();
    if matches!(problem.status, 401 | 403) {
        let computer = shown.and_then(|shown| app.tokens.computer_of(shown));
        app.door
            .note(peer, &problem.detail, computer.as_deref(), wall_ms());
    }
}

/// Answers a request of a hot route that has come by the general server.
async fn hot_from_afar(
    service: &Service,
    way: &Way<LastAsker>,
    id: &RequestId,
    hot: Hot,
    mut request: Request<Incoming>,
) -> Result<Whole, Refusal> {
    let who = way.remembered.borrow_mut().identify(
        value(request.headers(), &AUTHORIZATION),
        &service.core.app.tokens,
    )?;
    routes::must_be_for(&who, request.method(), request.uri().path())?;
    behalf::must_be_ones_own(request.headers())?;
    let mut held = service.bodies.hold();
    let body = read_in_time(&way.watch, &mut request, &mut held).await?;
    // The body may have taken its time.
    who.must_be_valid()?;
    if let Some(query) = request.uri().query() {
        return Err(Refusal::invalid(format!(
            "{} takes no query, and `{}` was sent: leave it out",
            request.uri().path(),
            usher_http::shown(query)
        )));
    }
    let asked = HotRequest {
        path: request.uri().path(),
        key: value(request.headers(), &keys::HEADER),
        body: &body,
    };
    hot_route(service, &who, id, hot, asked).await
}

fn value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    headers.get(name).map(HeaderValue::as_bytes)
}

/// What a hot route needs of a request.
struct HotRequest<'a> {
    path: &'a str,
    /// The idempotency key, if there is one.
    key: Option<&'a [u8]>,
    body: &'a [u8],
}

async fn hot_route(
    service: &Service,
    who: &Principal,
    id: &RequestId,
    hot: Hot,
    HotRequest { path, key, body }: HotRequest<'_>,
) -> Result<Whole, Refusal> {
    let core = &service.core;
    match hot {
        Hot::Checkout => routes::checkouts::create(core, who, key, body).await,
        Hot::Renew => {
            let id = &path["/v1/leases/".len()..path.len() - "/renew".len()];
            routes::leases::renew(core, who, key, id, body).await
        }
        Hot::Checkin => {
            let number = RequestNumber::of(id);
            let id = &path["/v1/leases/".len()..];
            routes::leases::checkin(core, who, number, id).await
        }
        Hot::Sync => routes::agents::sync(core, who, body).await,
    }
}

async fn cold_route(
    service: &Service,
    way: &Way<LastAsker>,
    id: &RequestId,
    mut request: Request<Incoming>,
) -> (usize, Result<Response<Body>, Refusal>) {
    let no_route = routes::TABLE.len();
    let mut held = service.bodies.hold();
    let mut who = None;
    if !routes::is_open(request.uri().path()) {
        let found = way
            .remembered
            .borrow_mut()
            .identify(
                value(request.headers(), &AUTHORIZATION),
                &service.core.app.tokens,
            )
            .and_then(|found| {
                routes::must_be_for(&found, request.method(), request.uri().path()).map(|()| found)
            })
            .and_then(|found| behalf::acting(found, request.headers()));
        match found {
            Ok(found) => who = Some(found),
            Err(refusal) => return (no_route, Err(refusal)),
        }
    }
    let body = match read_in_time(&way.watch, &mut request, &mut held).await {
        Ok(body) => body,
        Err(refusal) => return (no_route, Err(refusal.into())),
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
            request.extensions_mut().insert(RequestNumber::of(id));
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
    let why_ended = || who.map(Principal::why_ended);
    (route, Ok(whole_where_it_is(response, why_ended).await))
}

impl Hot {
    /// The hot route of a request; none: it is not for a hot route.
    fn of(method: &str, path: &str) -> Option<Hot> {
        if method == "POST" && path == "/v1/checkouts" {
            return Some(Hot::Checkout);
        }
        if let Some(rest) = path.strip_prefix("/v1/leases/") {
            let (id, renew) = match rest.split_once('/') {
                None => (rest, false),
                Some((id, "renew")) => (id, true),
                Some(_) => return None,
            };
            return match (id.is_empty(), renew) {
                (false, false) if method == "DELETE" => Some(Hot::Checkin),
                (false, true) if method == "POST" => Some(Hot::Renew),
                _ => None,
            };
        }
        (method == "POST" && path == "/v1/agents/sync").then_some(Hot::Sync)
    }
}
