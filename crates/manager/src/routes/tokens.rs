//! `/v1/tokens`: access tokens of this manager. For admins.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use hyper::StatusCode;
use serde::Deserialize;
use usher_api::{Code, Page, Problem, TokenCreated, TokenInfo, TokenRequest, page_limit};
use usher_http::input::{self, Id, Query};

use crate::app::App;
use crate::book::NotMade;
use crate::problem::Refusal;

/// Tokens, oldest first, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    params(
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<TokenInfo>),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<PageQuery>,
) -> Result<Json<Page<TokenInfo>>, Refusal> {
    let limit = page_limit(asked.limit).map_err(Refusal::invalid)?;
    let (items, next) = app
        .book
        .page(asked.cursor.as_deref(), limit as usize)
        .ok_or_else(|| {
            Refusal::invalid(
                "`cursor` is none that a page has given, or its token has made room for another: \
                 begin without it",
            )
        })?;
    Ok(Json(Page {
        items,
        next,
        only: None,
        time: None,
    }))
}

/// The page of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Makes a token of role `viewer`, `operator` or `admin`. Its secret is only in this answer; the
/// manager keeps a hash of it.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    request_body = TokenRequest,
    responses(
        (status = 201, body = TokenCreated),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<(StatusCode, Json<TokenCreated>), Refusal> {
    let request: TokenRequest = input::json(&body)?;
    let made = app.book.make(request, app.tools.site.as_ref()).await;
    let (token, info) = made.map_err(|why| match why {
        NotMade::Invalid(why) => Refusal::invalid(why),
        NotMade::Site(error) => error.into(),
    })?;
    Ok((StatusCode::CREATED, Json(TokenCreated { token, info })))
}

/// Revokes a token: the next request with it is refused, and a long poll with it ends.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    params(("id" = String, Path, description = "Token id")),
    responses(
        (status = 204, description = "The token is revoked, now or already"),
        (status = 404, description = "`unknown_token`", body = Problem),
    ),
)]
pub(crate) async fn revoke(State(app): State<Arc<App>>, Id(id): Id) -> Result<StatusCode, Refusal> {
    let known = app.book.revoke(&id, app.tools.site.as_ref()).await?;
    match known {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::new(
            Code::UnknownToken,
            "there is no token of that id: `usher token list --at-manager` lists all tokens",
        )),
    }
}
