//! The routes: one file for each resource, and the one table of them all, from which both the
//! router and the served description are made.

pub(crate) mod agents;
pub(crate) mod backup;
pub(crate) mod canary;
pub(crate) mod checkouts;
pub(crate) mod collected;
pub(crate) mod consumers;
mod dangerous;
pub(crate) mod decisions;
pub(crate) mod demand;
pub(crate) mod denials;
pub(crate) mod entitlements;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod health;
mod kept;
pub(crate) mod leases;
pub(crate) mod metrics;
pub(crate) mod openapi;
mod owned;
pub(crate) mod pack;
mod period;
pub(crate) mod products;
pub(crate) mod queue;
pub(crate) mod service;
pub(crate) mod snapshots;
pub(crate) mod status;
pub(crate) mod sums;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod usage;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use hyper::{Method, StatusCode};
use serde::Serialize;
use utoipa::OpenApi;

use crate::access::auth::Principal;
use crate::access::numbers::RequestNumber;
use crate::access::rights::Right;
use crate::state::app::App;
use crate::wire::problem::Refusal;
use usher_core::ledger::Command;
pub(crate) use usher_http::input::Id;

/// A route in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// Its method.
    pub(crate) method: &'static str,
    /// Its path, with `{parameters}`.
    pub(crate) path: &'static str,
    /// The right that it needs, and what for, in words; none: it needs no token.
    pub(crate) asks: Option<(Right, &'static str)>,
}

impl Route {
    /// Refuses a sender without the right that the route needs.
    fn must_be_allowed(&self, who: Option<&Principal>) -> Result<(), Refusal> {
        match (self.asks, who) {
            (None, _) => Ok(()),
            (Some((right, what)), Some(who)) => who.must(right, what),
            (Some(_), None) => Err(Refusal::unexpected()),
        }
    }
}

/// The index in the table of the route that answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteIndex(pub(crate) usize);

/// The routes that are matched by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hot {
    /// `POST /v1/checkouts`.
    Checkout,
    /// `DELETE /v1/leases/{id}`.
    Checkin,
    /// `POST /v1/leases/{id}/renew`.
    Renew,
    /// `POST /v1/agents/sync`.
    Sync,
}

impl Hot {
    /// Its index in the table: hot routes come first, in the order of these variants.
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Refuses a sender without the right that the route needs.
    pub(crate) fn must_be_allowed(self, who: &Principal) -> Result<(), Refusal> {
        TABLE[self.index()].must_be_allowed(Some(who))
    }
}

macro_rules! asked {
    () => {
        None
    };
    ($right:ident $what:literal) => {
        Some((Right::$right, $what))
    };
}

macro_rules! table {
    (
        hot {
            $($hot_method:ident $hot_path:literal [$($hot_asks:tt)*] => $hot_module:ident::$hot:ident;)*
        }
        routed { $($method:ident $path:literal [$($asks:tt)*] => $module:ident::$function:ident;)* }
    ) => {
        /// All routes. Those that are matched by hand come first.
        pub(crate) const TABLE: &[Route] = &[
            $(Route {
                method: stringify!($hot_method),
                path: $hot_path,
                asks: asked!($($hot_asks)*),
            },)*
            $(Route { method: stringify!($method), path: $path, asks: asked!($($asks)*) },)*
        ];

        const HOT: usize = [$($hot_path),*].len();

        /// The OpenAPI descriptions of the routes.
        #[derive(OpenApi)]
        #[openapi(paths($($hot_module::$hot,)* $($module::$function,)*))]
        pub(crate) struct Described;

        fn routed() -> Vec<(MethodFilter, MethodRouter<Arc<App>>)> {
            vec![$((
                MethodFilter::$method,
                axum::routing::on(MethodFilter::$method, $module::$function),
            ),)*]
        }
    };
}

// Each with the right that it asks for, and what it is asked for.
table! {
    hot {
        POST "/v1/checkouts" [AskForSelf "check out"] => checkouts::create;
        DELETE "/v1/leases/{id}" [AskForSelf "end leases"] => leases::checkin;
        POST "/v1/leases/{id}/renew" [AskForSelf "renew leases"] => leases::renew;
        POST "/v1/agents/sync" [ReportAgent "report for a computer"] => agents::sync;
    }
    routed {
        GET "/v1/leases" [SeeSelf "see leases"] => leases::list;
        GET "/v1/agents/leases/{id}" [SeeSelf "ask what a lease is of"] => leases::held;
        GET "/v1/tickets/{id}" [AskForSelf "poll tickets"] => tickets::get;
        DELETE "/v1/tickets/{id}" [AskForSelf "cancel tickets"] => tickets::cancel;
        GET "/v1/queue" [SeeSelf "see who waits"] => queue::list;
        GET "/v1/denials" [SeeSelf "see who was refused"] => denials::list;
        GET "/v1/waits" [SeeSelf "see who waited and got no seat"] => denials::waits;
        GET "/v1/decisions/{id}" [SeeSelf "see decisions"] => decisions::get;
        GET "/v1/products" [SeeSelf "see products"] => products::list;
        POST "/v1/products" [ChangePolicy "change products"] => products::create;
        GET "/v1/products/{id}" [SeeSelf "see products"] => products::get;
        PUT "/v1/products/{id}" [ChangePolicy "change products"] => products::replace;
        DELETE "/v1/products/{id}" [ChangePolicy "change products"] => products::remove;
        GET "/v1/products/{id}/demand" [SeeCounts "see how many seats were wanted"] => demand::get;
        GET "/v1/entitlements" [SeeCounts "see what is owned"] => entitlements::list;
        POST "/v1/entitlements" [Own "change what is owned"] => entitlements::create;
        GET "/v1/entitlements/{id}" [SeeCounts "see what is owned"] => entitlements::get;
        PUT "/v1/entitlements/{id}" [Own "change what is owned"] => entitlements::replace;
        DELETE "/v1/entitlements/{id}" [Own "change what is owned"] => entitlements::remove;
        GET "/v1/sessions" [SeeSelf "see what was used"] => usage::sessions;
        GET "/v1/usage" [SeeSelf "see what was used"] => usage::usage;
        GET "/v1/usage/users" [SeeSelf "see what was used"] => sums::by_user;
        GET "/v1/usage/days" [SeeSelf "see what was used"] => sums::by_day;
        GET "/v1/programs" [SeeCounts "see which programs run"] => usage::programs;
        GET "/v1/history" [SeePeople "collect the history"] => collected::list;
        GET "/v1/history/consumers" [SeeCounts "see who collects the history"] => consumers::list;
        PUT "/v1/history/consumers/{name}" [Collect "acknowledge what was collected"] => consumers::acknowledge;
        DELETE "/v1/history/consumers/{name}" [Collect "forget who collects the history"] => consumers::forget;
        GET "/v1/tokens" [Administer "see tokens"] => tokens::list;
        POST "/v1/tokens" [Administer "make tokens"] => tokens::create;
        DELETE "/v1/tokens/{id}" [Administer "revoke tokens"] => tokens::revoke;
        GET "/v1/status" [SeeSelf "see what is going on"] => status::get;
        GET "/v1/facts" [SeeCounts "see what will soon be trouble"] => facts::get;
        GET "/v1/service" [SeeCounts "see the service"] => service::get;
        POST "/v1/service/controls" [Operate "steer the service"] => service::control;
        GET "/v1/pack" [SeeCounts "see the upkeep of the store"] => pack::get;
        POST "/v1/pack" [Operate "begin a pack"] => pack::begin;
        DELETE "/v1/pack" [Operate "stop a pack"] => pack::stop;
        PUT "/v1/pack/schedule" [Operate "change when packs run"] => pack::schedule;
        GET "/v1/events" [SeePeople "follow events"] => events::follow;
        GET "/v1/backup" [BackUp "take backups"] => backup::get;
        GET "/v1/snapshots" [Administer "see snapshots"] => snapshots::list;
        POST "/v1/canary" [SeeCounts "send a canary"] => canary::post;
        GET "/v1/health" [] => health::get;
        GET "/metrics" [SeeCounts "read the metrics"] => metrics::get;
        GET "/openapi.json" [] => openapi::get;
    }
}

/// The right that a route needs, and what for; none: there is no such route.
fn asked_by(method: &Method, path: &str) -> Option<(Right, &'static str)> {
    let is_it = |route: &&Route| {
        let mut parts = route.path.split('/').zip(path.split('/'));
        route.method == method.as_str()
            && route.path.split('/').count() == path.split('/').count()
            && parts.all(|(part, said)| part == said || part.starts_with('{'))
    };
    TABLE.iter().find(is_it)?.asks
}

/// Refuses a token that is for one purpose on all other routes. The answer names the roles that the
/// route is for, so that a token of one of them is not refused again.
pub(crate) fn must_be_for(who: &Principal, method: &Method, path: &str) -> Result<(), Refusal> {
    if who.may(Right::SeeSelf) {
        return Ok(());
    }
    match asked_by(method, path) {
        Some((right, what)) => who.must(right, what),
        None => who.must_be_for(path),
    }
}

/// Whether a path needs no token.
pub(crate) fn is_open(path: &str) -> bool {
    path == "/v1/health" || path == "/openapi.json"
}

/// The router for everything that is not matched by hand, unknown paths included.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    let mut routed = routed().into_iter().zip(HOT..).peekable();
    // The table has the routes of one path beside each other.
    while let Some(((_, mut methods), index)) = routed.next() {
        let path = TABLE[index].path;
        methods = noted(methods, index);
        while let Some(((_, more), index)) =
            routed.next_if(|((_, _), index)| TABLE[*index].path == path)
        {
            methods = methods.merge(noted(more, index));
        }
        router = router.route(
            path,
            methods.fallback(move |request| refused(request, path)),
        );
    }
    for hot in &TABLE[..HOT] {
        let path = hot.path;
        let others = MethodRouter::new().fallback(move |request| refused(request, path));
        router = router.route(path, others);
    }
    router
        .fallback(
            |request: Request| async move { usher_http::Refusal::no_route(request.uri().path()) },
        )
        .with_state(app)
}

/// Adds a route that only senders with its right may use, and that marks its answers.
fn noted(methods: MethodRouter<Arc<App>>, index: usize) -> MethodRouter<Arc<App>> {
    methods.route_layer(middleware::from_fn(
        move |request: Request, next: Next| async move {
            let who = request.extensions().get::<Arc<Principal>>();
            let allowed = TABLE[index].must_be_allowed(who.map(|who| &**who));
            let mut response = match allowed {
                Ok(()) => next.run(request).await,
                Err(refusal) => IntoResponse::into_response(refusal),
            };
            response.extensions_mut().insert(RouteIndex(index));
            response
        },
    ))
}

async fn refused(request: Request, path: &'static str) -> usher_http::Refusal {
    usher_http::Refusal::method(
        request.method().as_str(),
        request.uri().path(),
        allowed(path),
    )
}

fn allowed(path: &str) -> String {
    let methods = TABLE.iter().filter(|route| route.path == path);
    methods
        .map(|route| route.method)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The sender, as the handler of requests has found it.
pub(crate) struct Caller {
    who: Arc<Principal>,
    request: RequestNumber,
}

impl Caller {
    /// The sender, for work that goes on after the answer has begun.
    pub(crate) fn who(&self) -> Arc<Principal> {
        Arc::clone(&self.who)
    }

    /// A command that changes something, with its sender and the number of the request.
    pub(crate) fn acts(&self, command: Command) -> Command {
        self.who.acts(command, self.request)
    }

    /// A command that ends what others hold or wait for, with its sender.
    pub(crate) fn acts_on_others(&self, command: Command) -> Command {
        self.who.acts_on_others(command, self.request)
    }
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Caller, Refusal> {
        let who = parts.extensions.get::<Arc<Principal>>().cloned();
        let request = parts.extensions.get::<RequestNumber>().copied();
        who.zip(request)
            .map(|(who, request)| Caller { who, request })
            .ok_or_else(Refusal::unexpected)
    }
}

impl std::ops::Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.who
    }
}

/// A JSON answer.
pub(crate) struct Json<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(text) => json_text(self.0, text),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                IntoResponse::into_response(Refusal::unexpected())
            }
        }
    }
}

/// A JSON answer that is already serialised.
pub(crate) fn json_text(status: StatusCode, text: impl Into<axum::body::Body>) -> Response {
    let kind = [(hyper::header::CONTENT_TYPE, "application/json")];
    (status, kind, text.into()).into_response()
}

/// An answer without a body.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The same answer, marked as a repeated one.
pub(crate) fn replayed(response: impl IntoResponse, replayed: bool) -> Response {
    match replayed {
        true => ([(usher_http::REPLAYED, "true")], response).into_response(),
        false => response.into_response(),
    }
}

/// Separates the mark of a repeated answer from a reply.
pub(crate) fn first_answer(reply: usher_core::ledger::Reply) -> (usher_core::ledger::Reply, bool) {
    match reply {
        usher_core::ledger::Reply::Replayed(first) => (*first, true),
        other => (other, false),
    }
}

/// A page of the API from rows of the tables.
pub(crate) fn page<R, P: ToString, T>(
    rows: usher_store::Rows<R, P>,
    item: impl Fn(R) -> T,
) -> usher_api::Page<T> {
    usher_api::Page {
        next: rows.next.map(|next| next.to_string()),
        items: rows.rows.into_iter().map(item).collect(),
        only: None,
        time: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::rights::{RIGHTS, ROLES, RoleRights};

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let described = Described::openapi();
        let mut found = Vec::new();
        for (path, item) in &described.paths.paths {
            let methods = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("DELETE", &item.delete),
                ("PATCH", &item.patch),
                ("HEAD", &item.head),
            ];
            for (method, operation) in methods {
                if operation.is_some() {
                    found.push(format!("{method} {path}"));
                }
            }
        }
        let mut served: Vec<String> = TABLE
            .iter()
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        found.sort();
        served.sort();
        assert_eq!(served, found);
    }

    #[test]
    fn hot_routes_stand_where_their_names_say() {
        for (hot, method, path) in [
            (Hot::Checkout, "POST", "/v1/checkouts"),
            (Hot::Checkin, "DELETE", "/v1/leases/{id}"),
            (Hot::Renew, "POST", "/v1/leases/{id}/renew"),
            (Hot::Sync, "POST", "/v1/agents/sync"),
        ] {
            let route = TABLE[hot.index()];
            assert_eq!((route.method, route.path), (method, path));
        }
    }

    #[test]
    fn what_asks_for_no_right_is_answered_without_a_token_and_nothing_else_is() {
        for route in TABLE {
            assert_eq!(route.asks.is_none(), is_open(route.path), "{}", route.path);
        }
    }

    #[test]
    fn the_guide_says_which_role_has_which_right_and_what_each_right_opens() {
        let page = include_str!("../../../../docs/roles.md");
        for right in RIGHTS {
            let mark = |row: &RoleRights| if row.rights.has(*right) { " + |" } else { " |" };
            let marks: String = ROLES.iter().map(mark).collect();
            let row = format!("| `{}` |{marks}", right.word());
            assert!(page.contains(&row), "the page lacks: {row}");
            let asks = |route: &&Route| route.asks.is_some_and(|(asked, _)| asked == *right);
            let opened = TABLE.iter().filter(asks);
            let opened: Vec<String> = opened
                .map(|route| format!("`{} {}`", route.method, route.path))
                .collect();
            let row = format!("| `{}` | {} |", right.word(), opened.join(", "));
            assert!(
                opened.is_empty() || page.contains(&row),
                "the page lacks: {row}"
            );
        }
    }
}
