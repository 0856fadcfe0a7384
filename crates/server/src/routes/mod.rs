//! The routes: one file for each resource, and the one table of them all, from which both the
//! router and the served description are made.

pub(crate) mod agents;
pub(crate) mod backup;
pub(crate) mod canary;
pub(crate) mod checkouts;
mod dangerous;
pub(crate) mod decisions;
pub(crate) mod denials;
pub(crate) mod entitlements;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod health;
pub(crate) mod leases;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod pack;
pub(crate) mod products;
pub(crate) mod queue;
pub(crate) mod service;
pub(crate) mod snapshots;
pub(crate) mod status;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod usage;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use hyper::StatusCode;
use serde::Serialize;
use utoipa::OpenApi;

use crate::access::auth::Principal;
use crate::access::numbers::RequestNumber;
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
}

/// The place in the table of the route that answered.
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
    /// Its place in the table: hot routes come first, in the order of their names here.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

macro_rules! table {
    (
        hot { $($hot_method:ident $hot_path:literal => $hot_module:ident::$hot:ident;)* }
        routed { $($method:ident $path:literal => $module:ident::$function:ident;)* }
    ) => {
        /// All routes. Those that are matched by hand come first.
        pub(crate) const TABLE: &[Route] = &[
            $(Route { method: stringify!($hot_method), path: $hot_path },)*
            $(Route { method: stringify!($method), path: $path },)*
        ];

        const HOT: usize = [$($hot_path),*].len();

        /// Their descriptions.
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

table! {
    hot {
        POST "/v1/checkouts" => checkouts::create;
        DELETE "/v1/leases/{id}" => leases::checkin;
        POST "/v1/leases/{id}/renew" => leases::renew;
        POST "/v1/agents/sync" => agents::sync;
    }
    routed {
        GET "/v1/leases" => leases::list;
        GET "/v1/agents/leases/{id}" => leases::held;
        GET "/v1/tickets/{id}" => tickets::get;
        DELETE "/v1/tickets/{id}" => tickets::cancel;
        GET "/v1/queue" => queue::list;
        GET "/v1/denials" => denials::list;
        GET "/v1/decisions/{id}" => decisions::get;
        GET "/v1/products" => products::list;
        POST "/v1/products" => products::create;
        GET "/v1/products/{id}" => products::get;
        PUT "/v1/products/{id}" => products::replace;
        DELETE "/v1/products/{id}" => products::remove;
        GET "/v1/entitlements" => entitlements::list;
        POST "/v1/entitlements" => entitlements::create;
        GET "/v1/entitlements/{id}" => entitlements::get;
        PUT "/v1/entitlements/{id}" => entitlements::replace;
        DELETE "/v1/entitlements/{id}" => entitlements::remove;
        GET "/v1/sessions" => usage::sessions;
        GET "/v1/usage" => usage::usage;
        GET "/v1/programs" => usage::programs;
        GET "/v1/tokens" => tokens::list;
        POST "/v1/tokens" => tokens::create;
        DELETE "/v1/tokens/{id}" => tokens::revoke;
        GET "/v1/status" => status::get;
        GET "/v1/facts" => facts::get;
        GET "/v1/service" => service::get;
        POST "/v1/service/controls" => service::control;
        GET "/v1/pack" => pack::get;
        POST "/v1/pack" => pack::begin;
        DELETE "/v1/pack" => pack::stop;
        PUT "/v1/pack/schedule" => pack::schedule;
        GET "/v1/events" => events::follow;
        GET "/v1/backup" => backup::get;
        GET "/v1/snapshots" => snapshots::list;
        POST "/v1/canary" => canary::post;
        GET "/v1/health" => health::get;
        GET "/metrics" => metrics::get;
        GET "/openapi.json" => openapi::get;
    }
}

/// Whether a path is answered without a token.
pub(crate) fn is_open(path: &str) -> bool {
    path == "/v1/health" || path == "/openapi.json"
}

/// The router of all that is not matched by hand, and of what no route takes.
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

/// The route, which says so when it has answered.
fn noted(methods: MethodRouter<Arc<App>>, index: usize) -> MethodRouter<Arc<App>> {
    methods.route_layer(middleware::from_fn(
        move |request: Request, next: Next| async move {
            let mut response = next.run(request).await;
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

/// Who asks, as the way in has found out.
pub(crate) struct Caller {
    who: Arc<Principal>,
    request: RequestNumber,
}

impl Caller {
    /// Who asks, for what goes on after the answer has begun.
    pub(crate) fn who(&self) -> Arc<Principal> {
        Arc::clone(&self.who)
    }

    /// A command that changes something, with who sends it and in which request.
    pub(crate) fn acts(&self, command: Command) -> Command {
        self.who.acts(command, self.request)
    }

    /// A command that ends what others hold or wait for, with who sends it.
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

/// A JSON answer that is written already.
pub(crate) fn json_text(status: StatusCode, text: impl Into<axum::body::Body>) -> Response {
    let kind = [(hyper::header::CONTENT_TYPE, "application/json")];
    (status, kind, text.into()).into_response()
}

/// An answer without a body.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The same answer, said to be one that was given before.
pub(crate) fn replayed(response: impl IntoResponse, replayed: bool) -> Response {
    match replayed {
        true => ([(usher_http::REPLAYED, "true")], response).into_response(),
        false => response.into_response(),
    }
}

/// Takes the mark of a repeated answer off a reply.
pub(crate) fn first_answer(reply: usher_core::ledger::Reply) -> (usher_core::ledger::Reply, bool) {
    match reply {
        usher_core::ledger::Reply::Replayed(first) => (*first, true),
        other => (other, false),
    }
}

/// A page out of the tables' rows.
pub(crate) fn page<R, T>(rows: usher_cache::Rows<R>, item: impl Fn(R) -> T) -> usher_api::Page<T> {
    usher_api::Page {
        next: rows.next.map(|next| next.to_string()),
        items: rows.rows.into_iter().map(item).collect(),
        only: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(TABLE[hot.index()], Route { method, path });
        }
    }
}
