//! `/v1/tokens`: who may ask this manager. For admins.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use hyper::StatusCode;
use usher_api::{Code, Page, Problem, TokenCreated, TokenInfo, TokenRequest};

use crate::app::App;
use crate::book::NotMade;
use crate::problem::Refusal;

/// Tokens, oldest first, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    responses(
        (status = 200, body = Page<TokenInfo>),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Json<Page<TokenInfo>> {
    let items = app.book.list();
    Json(Page {
        items,
        next: None,
        only: None,
    })
}

/// Makes a token of role `viewer`, `operator` or `admin`. Its secret is in this answer and nowhere
/// else; only a hash of it is kept.
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
    let request: TokenRequest = usher_api::object::from_slice(&body)
        .map_err(|error| Refusal::invalid(format!("the token is not understood: {error}")))?;
    let book = app.book.clone();
    let made = app
        .tools
        .try_in_site(move |site| Ok(book.make(request, site)))
        .await?;
    let (token, info) = made.map_err(|why| match why {
        NotMade::Invalid(why) => Refusal::invalid(why),
        NotMade::Site(error) => error.into(),
    })?;
    Ok((StatusCode::CREATED, Json(TokenCreated { token, info })))
}

/// Revokes a token: the next request with it is refused, and a look that waits ends.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    params(("id" = String, Path, description = "Token id")),
    responses(
        (status = 204, description = "It is revoked, now or since before"),
        (status = 404, description = "`unknown_token`", body = Problem),
    ),
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let book = app.book.clone();
    let known = app
        .tools
        .try_in_site(move |site| book.revoke(&id, site))
        .await?;
    match known {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::new(
            Code::UnknownToken,
            "there is no token of that id: `usher token list --at-manager` lists those there are",
        )),
    }
}
