//! `GET /openapi.json`: the description of this API, made from the code.

use std::sync::LazyLock;

use axum::response::Response;
use hyper::StatusCode;
use hyper::body::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::SecurityRequirement;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::{Described, json_text};

static TEXT: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&described()).unwrap_or_default().into());

/// The description of this API. Needs no token.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    security(()),
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json")),
)]
pub(crate) async fn get() -> Response {
    json_text(StatusCode::OK, TEXT.clone())
}

fn described() -> utoipa::openapi::OpenApi {
    let mut described = Described::openapi();
    described.info.title = "Usher metering server".to_owned();
    described.info.version = env!("CARGO_PKG_VERSION").to_owned();
    described.info.description = Some(
        "Floating licences and software metering. Times are RFC 3339 in UTC, durations whole \
         seconds, ids opaque. Unknown request fields are errors. Errors are RFC 9457 problem \
         documents with a stable `code`. Bodies over 1 MiB are refused with 413."
            .to_owned(),
    );
    described.info.contact = None;
    described.info.license = None;
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    described
        .components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(bearer));
    let no_scopes: [&str; 0] = [];
    described.security = Some(vec![SecurityRequirement::new("token", no_scopes)]);
    described
}
