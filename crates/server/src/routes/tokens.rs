//! `/v1/tokens`: access tokens. For admins.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use usher_api::{Code, Page, Problem, TokenCreated, TokenInfo, TokenRequest};
use usher_core::names::composed;
use usher_core::people::{COMPUTER_REALM_PREFIX, LocalAccounts, Person};
use usher_store::TokenRow;

use super::{Caller, Id, Json, json_text, replayed};
use crate::access::keys::OnceKey;
use crate::access::rights::{self, Bound};
use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::secrets::secret;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::people::AUTHORITY;
use crate::wire::problem::{Refusal, shown};

/// The largest number of tokens, revoked ones included.
const TOKENS_LIMIT: usize = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Tokens, oldest first, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "access",
    params(
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<TokenInfo>),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Page<TokenInfo>>, Refusal> {
    let query: Query = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let rows = app
        .blocking(move |app| app.engine.tokens().page(paging.cursor, paging.limit))
        .await?;
    let page = Page {
        next: rows.next.map(|next| next.to_string()),
        items: rows.rows.iter().filter_map(info).collect(),
        only: None,
        time: None,
    };
    Ok(Json(StatusCode::OK, page))
}

fn info(row: &TokenRow) -> Option<TokenInfo> {
    let role = serde_json::from_value(serde_json::Value::from(row.role.as_str())).ok()?;
    Some(TokenInfo {
        id: row.id.clone(),
        role,
        name: row.name.clone(),
        user: row.account.clone().or_else(|| row.user.clone()),
        realm: row.realm.clone(),
        computer: row.computer.clone(),
        created_at: timestamp(row.created_at),
        expires_at: row.expires_at.map(timestamp),
        revoked_at: row.revoked_at.map(timestamp),
    })
}

/// Makes a token. Its secret is only in this answer; the server keeps a hash of it.
///
/// A repeat with the same Idempotency-Key gets the same answer for a day, but not after a restart
/// of the server, because the secret is not on disk: then it makes another token.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "access",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the first answer again")),
    request_body = TokenRequest,
    responses(
        (status = 201, body = TokenCreated),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 409, description = "`idempotency_conflict`", body = Problem),
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut request: TokenRequest = input::json(&body)?;
    check(&mut request)?;
    let person = person(&request, app.local_accounts)?;
    let once = OnceKey::of(&headers, &caller, "POST /v1/tokens", &body)?;
    // One at a time, so that of two requests with one key only the first makes a token.
    let _turn = app.tokens_change.lock().await;
    if let Some(once) = once
        && let Some(first) = app.secret_answers.get(once)?
    {
        return Ok(replayed(
            json_text(StatusCode::CREATED, Bytes::clone(&first)),
            true,
        ));
    }
    let token = secret::token();
    let row = TokenRow {
        id: secret::token_id(),
        hash: crate::secrets::secret::hash(token.as_bytes()),
        role: request.role.as_str().to_owned(),
        name: request.name,
        realm: person.as_ref().map(|person| person.realm.clone()),
        account: person.as_ref().map(|person| person.account.clone()),
        user: person.map(|person| person.key),
        computer: request.computer,
        created_at: wall_ms(),
        expires_at: request.expires_at.map(|at| at.as_millisecond()),
        revoked_at: None,
    };
    let info = info(&row).ok_or_else(Refusal::unexpected)?;
    let kept = app
        .blocking(move |app| {
            if app.tokens.kept() >= TOKENS_LIMIT {
                return Ok(false);
            }
            app.engine.tokens().add(row.clone())?;
            app.tokens.add(&row);
            Ok(true)
        })
        .await?;
    if !kept {
        return Err(Refusal::invalid(format!(
            "{TOKENS_LIMIT} tokens are kept, which is the limit: give one token to several \
             programs instead"
        )));
    }
    let created = TokenCreated { token, info };
    let text: Bytes = serde_json::to_vec(&created)
        .map_err(|_| Refusal::unexpected())?
        .into();
    if let Some(once) = once {
        app.secret_answers.put(once, text.clone());
    }
    Ok(json_text(StatusCode::CREATED, text))
}

/// The person that a token will be bound to.
fn person(request: &TokenRequest, local: LocalAccounts) -> Result<Option<Person>, Refusal> {
    let Some(user) = request.user.as_deref() else {
        return match request.realm {
            None => Ok(None),
            Some(_) => Err(Refusal::invalid(
                "`realm` is that of `user`: give a `user`, or leave `realm` out",
            )),
        };
    };
    let realm = request.realm.as_deref().unwrap_or(AUTHORITY);
    let realm = input::name("realm", realm)?;
    // Of no directory is that the name: somebody meant a computer and left its id out.
    if realm.eq_ignore_ascii_case("computer") || &*realm == COMPUTER_REALM_PREFIX {
        return Err(Refusal::invalid(
            "`realm` names no computer: give computer:ID with the id that `usher agent \
             --print-computer-id --data DIR` prints there, DIR being the data directory of its \
             agent, or a directory such as corp.example",
        ));
    }
    Person::of(&realm, user, local)
        .map(Some)
        .map_err(|why| Refusal::invalid(format!("`realm`, `user`: {why}")))
}

fn check(request: &mut TokenRequest) -> Result<(), Refusal> {
    request.name = composed(&request.name).into_owned();
    input::check_text("name", &request.name).map_err(Refusal::invalid)?;
    let role = request.role.as_str();
    let bound = rights::of(request.role).bound;
    for (field, value, needed) in [
        ("user", &mut request.user, Bound::Person),
        ("computer", &mut request.computer, Bound::Computer),
    ] {
        match value {
            Some(value) if bound == needed => {
                *value = input::name(field, value)?.into_owned();
            }
            Some(_) => {
                return Err(Refusal::invalid(format!(
                    "a token of role {role} is bound to no {field}: leave `{field}` out, or make \
                     it one of role {}",
                    rights::bound_to(needed)
                )));
            }
            None if bound == needed => {
                return Err(Refusal::invalid(format!(
                    "a token of role {role} is bound to a {field}: give `{field}`"
                )));
            }
            None => {}
        }
    }
    let now = wall_ms();
    match request.expires_at {
        Some(at) if at.as_millisecond() <= now => Err(Refusal::invalid(format!(
            "`expires_at` is {at}, which is over already: give a later instant, or leave it out"
        ))),
        _ => Ok(()),
    }
}

/// Revokes a token: the next request with it is refused, and its streams and long polls end
/// immediately.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    tag = "access",
    params(("id" = String, Path, description = "Token id")),
    responses(
        (status = 204, description = "The token is revoked, now or already"),
        (status = 404, description = "`unknown_token`", body = Problem),
    ),
)]
pub(crate) async fn revoke(State(app): State<Arc<App>>, Id(id): Id) -> Result<Response, Refusal> {
    let _turn = app.tokens_change.lock().await;
    let asked = id.clone();
    let known = app
        .blocking(move |app| {
            let tokens = app.engine.tokens();
            let holder = app.tokens.find(&secret::held(&app.data));
            let known = tokens.revoke(&asked, wall_ms())?;
            app.tokens.revoke(&asked);
            // Whoever goes by the file, as the manager of `usher up` does, is to refuse it, too.
            if holder.is_some_and(|holder| *holder.token_id == *asked) {
                match secret::make_admin(&app.data, &tokens) {
                    Ok(row) => app.tokens.add(&row),
                    Err(error) => tracing::error!(
                        %error,
                        "the revoked token stays in {}: the next start writes a new one",
                        secret::ADMIN_TOKEN_FILE
                    ),
                }
            }
            Ok(known)
        })
        .await?;
    match known {
        true => Ok(super::no_content()),
        false => Err(Refusal::new(
            Code::UnknownToken,
            format!(
                "there is no token {}: `usher token list` lists all tokens",
                shown(&id)
            ),
        )),
    }
}
