//! The routes: one file for each resource.

pub(crate) mod catalogue;
pub(crate) mod foreign;
pub(crate) mod groups;
pub(crate) mod imports;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod reports;
pub(crate) mod servers;
pub(crate) mod service;
pub(crate) mod standing;
mod together;
pub(crate) mod tokens;
pub(crate) mod usage;
pub(crate) mod whatif;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::{delete, get, post};
use usher_api::Code;
use utoipa::OpenApi;

use crate::app::App;
use crate::page;
use crate::problem::Refusal;
use crate::routes::catalogue::{entitlements, products};

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
        products::list,
        products::create,
        products::get,
        products::replace,
        products::remove,
        products::demand,
        entitlements::list,
        entitlements::create,
        entitlements::get,
        entitlements::replace,
        entitlements::remove,
        usage::usage,
        groups::list,
        groups::members,
        reports::get,
        tokens::list,
        tokens::create,
        tokens::revoke,
        imports::list,
        imports::create,
        imports::get,
        imports::remove,
        imports::rows,
        imports::finish,
        whatif::post,
        service::health,
        metrics::metrics,
        service::description,
    )
)]
pub(crate) struct Described;

/// All routes of a manager.
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
        .route("/v1/products", get(products::list).post(products::create))
        .route(
            "/v1/products/{id}",
            get(products::get)
                .put(products::replace)
                .delete(products::remove),
        )
        .route("/v1/products/{id}/demand", get(products::demand))
        .route(
            "/v1/entitlements",
            get(entitlements::list).post(entitlements::create),
        )
        .route(
            "/v1/entitlements/{id}",
            get(entitlements::get)
                .put(entitlements::replace)
                .delete(entitlements::remove),
        )
        .route("/v1/usage", get(usage::usage))
        .route("/v1/groups", get(groups::list))
        .route("/v1/groups/{name}/members", get(groups::members))
        .route("/v1/reports/{name}", get(reports::get))
        .route("/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/v1/tokens/{id}", delete(tokens::revoke))
        .route("/v1/imports", get(imports::list).post(imports::create))
        .route(
            "/v1/imports/{id}",
            get(imports::get).delete(imports::remove),
        )
        .route("/v1/imports/{id}/rows", post(imports::rows))
        .route("/v1/imports/{id}/finish", post(imports::finish))
        .route("/v1/whatif", post(whatif::post))
        .route("/v1/health", get(service::health))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(service::description))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(app)
}

async fn no_route(request: Request) -> usher_http::Refusal {
    usher_http::Refusal::no_route(request.uri().path())
}

async fn no_method() -> Refusal {
    Refusal::new(
        Code::MethodNotAllowed,
        "this route knows other methods: GET /openapi.json lists them",
    )
}
