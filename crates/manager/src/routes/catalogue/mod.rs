//! `/v1/products` and `/v1/entitlements`: the catalogues of the watched servers.
//!
//! Each watched server keeps its own catalogue. The manager shows all of them as one list, and has
//! a server change its catalogue on behalf of the client that asks the manager: the server allows
//! only what both the manager's token there and the client's role here may do, and records both.

pub(super) mod forward;
mod lists;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::Response;
use hyper::{HeaderMap, Method};
use serde::Deserialize;
use usher_api::client::escaped;
use usher_api::{Problem, SitePage};
use usher_http::RequestId;
use usher_http::input::{Id, Query};

use self::forward::{Ask, key};
use crate::app::App;
use crate::asker::Asker;
use crate::problem::Refusal;

/// The server whose catalogue is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    /// The server's name; it may be left out if the manager watches only one.
    server: Option<String>,
}

/// A page of the lists of all servers, or of one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageOf {
    server: Option<String>,
    product: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

macro_rules! of_servers {
    ($path:literal, $one:literal) => {
        /// The items of all watched servers, or of the named one: server by server in the order of
        /// their names, each with `server`. A server that does not answer is listed in `unseen`,
        /// with the reason.
        #[utoipa::path(
            get,
            path = $path,
            params(
                ("server" = Option<String>, Query, description = "Of this server alone"),
                ("product" = Option<String>, Query, description = "Of this product alone (entitlements)"),
                ("limit" = Option<u32>, Query, description = "1 to 1000 items; 100 if left out"),
                ("cursor" = Option<String>, Query, description = "`next` of the page before"),
            ),
            responses((status = 200, body = SitePage)),
        )]
        pub(crate) async fn list(
            State(app): State<Arc<App>>,
            Query(page): Query<PageOf>,
        ) -> Result<axum::Json<SitePage>, Refusal> {
            super::lists::page(&app, $path, page).await.map(axum::Json)
        }

        /// Adds an item to a server, on behalf of the sender. The answer is the server's own, with
        /// `server`.
        #[utoipa::path(
            post,
            path = $path,
            params(("server" = Option<String>, Query, description = "The server; needed if several are watched")),
            request_body = serde_json::Value,
            responses(
                (status = 201, body = serde_json::Value),
                (status = 400, description = "`invalid_request`", body = Problem),
                (status = 403, description = "`forbidden`: by the server", body = Problem),
                (status = 404, description = "`unknown_server`", body = Problem),
                (status = 503, description = "`server_unreachable` or `outcome_unknown`", body = Problem),
            ),
        )]
        pub(crate) async fn create(
            State(app): State<Arc<App>>,
            Extension(asker): Extension<Asker>,
            Extension(request): Extension<RequestId>,
            Query(whose): Query<Whose>,
            headers: HeaderMap,
            body: Bytes,
        ) -> Result<Response, Refusal> {
            let (path, key) = ($path.to_owned(), key(&headers));
            let ask = Ask { method: Method::POST, path, body, key };
            ask.of(&app, whose.server.as_deref(), &asker, &request).await
        }

        /// One item of a server, with `server`.
        #[utoipa::path(
            get,
            path = $one,
            params(
                ("id" = String, Path, description = "Its id"),
                ("server" = Option<String>, Query, description = "The server; needed if several are watched"),
            ),
            responses((status = 200, body = serde_json::Value), (status = 404, body = Problem)),
        )]
        pub(crate) async fn get(
            State(app): State<Arc<App>>,
            Extension(asker): Extension<Asker>,
            Extension(request): Extension<RequestId>,
            Query(whose): Query<Whose>,
            Id(id): Id,
        ) -> Result<Response, Refusal> {
            let ask = Ask { method: Method::GET, path: super::one($path, &id), body: Bytes::new(), key: None };
            ask.of(&app, whose.server.as_deref(), &asker, &request).await
        }

        /// Replaces an item of a server, on behalf of the sender.
        #[utoipa::path(
            put,
            path = $one,
            params(
                ("id" = String, Path, description = "Its id"),
                ("server" = Option<String>, Query, description = "The server; needed if several are watched"),
            ),
            request_body = serde_json::Value,
            responses((status = 200, body = serde_json::Value), (status = 404, body = Problem)),
        )]
        pub(crate) async fn replace(
            State(app): State<Arc<App>>,
            Extension(asker): Extension<Asker>,
            Extension(request): Extension<RequestId>,
            Query(whose): Query<Whose>,
            Id(id): Id,
            body: Bytes,
        ) -> Result<Response, Refusal> {
            let ask = Ask { method: Method::PUT, path: super::one($path, &id), body, key: None };
            ask.of(&app, whose.server.as_deref(), &asker, &request).await
        }

        /// Removes an item of a server, on behalf of the sender.
        #[utoipa::path(
            delete,
            path = $one,
            params(
                ("id" = String, Path, description = "Its id"),
                ("server" = Option<String>, Query, description = "The server; needed if several are watched"),
            ),
            responses((status = 204, description = "It is removed"), (status = 404, body = Problem)),
        )]
        pub(crate) async fn remove(
            State(app): State<Arc<App>>,
            Extension(asker): Extension<Asker>,
            Extension(request): Extension<RequestId>,
            Query(whose): Query<Whose>,
            Id(id): Id,
        ) -> Result<Response, Refusal> {
            let ask = Ask { method: Method::DELETE, path: super::one($path, &id), body: Bytes::new(), key: None };
            ask.of(&app, whose.server.as_deref(), &asker, &request).await
        }
    };
}

pub(crate) mod products {
    //! The products.
    use super::*;
    of_servers!("/v1/products", "/v1/products/{id}");

    /// Who would have been refused with a number of seats of a product: its server replays the
    /// recorded use.
    #[utoipa::path(
        get,
        path = "/v1/products/{id}/demand",
        params(
            ("id" = String, Path, description = "The product's id"),
            ("server" = Option<String>, Query, description = "The server; needed if several are watched"),
            ("since" = Option<String>, Query, description = "As the server takes it, and so is the rest"),
        ),
        responses((status = 200, body = serde_json::Value), (status = 404, body = Problem)),
    )]
    pub(crate) async fn demand(
        State(app): State<Arc<App>>,
        Extension(asker): Extension<Asker>,
        Extension(request): Extension<RequestId>,
        Query(mut asked): Query<BTreeMap<String, String>>,
        Id(id): Id,
    ) -> Result<Response, Refusal> {
        let server = asked.remove("server");
        let query: Vec<String> = asked
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        let path = format!("/v1/products/{}/demand?{}", escaped(&id), query.join("&"));
        let ask = Ask {
            method: Method::GET,
            path,
            body: Bytes::new(),
            key: None,
        };
        ask.of(&app, server.as_deref(), &asker, &request).await
    }
}

pub(crate) mod entitlements {
    //! The entitlements.
    use super::*;
    of_servers!("/v1/entitlements", "/v1/entitlements/{id}");
}

/// The path of one item of a list.
fn one(list: &str, id: &str) -> String {
    format!("{list}/{}", escaped(id))
}
