//! `/v1/servers`: the metering servers that are watched.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use hyper::StatusCode;
use tokio::sync::oneshot;
use usher_api::client::check_url;
use usher_api::{Code, Page, Problem, WatchRequest, WatchedServer};
use usher_http::input::{self, Id};
use usher_site::ServerRow;

use crate::app::{App, SERVERS_LIMIT};
use crate::clock::wall_ms;
use crate::keeper;
use crate::problem::Refusal;
use crate::tokens::TokenSource;

/// The servers, by name.
#[utoipa::path(get, path = "/v1/servers", responses((status = 200, body = Page<WatchedServer>)))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Json<Page<WatchedServer>> {
    let items = app
        .keepers()
        .values()
        .map(|keeper| keeper.view.get())
        .collect();
    Json(Page {
        items,
        next: None,
        only: None,
    })
}

/// Watches one more.
#[utoipa::path(
    post,
    path = "/v1/servers",
    request_body = WatchRequest,
    responses(
        (status = 201, body = WatchedServer),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 409, description = "`server_exists`", body = Problem),
    ),
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<(StatusCode, Json<WatchedServer>), Refusal> {
    let request: WatchRequest = input::json(&body)?;
    check(&request)?;
    let row = ServerRow {
        name: request.name,
        url: request.url,
        token: request.token,
        unit: request.unit,
        data: request.data,
        added_ms: wall_ms(),
    };
    must_fit(&app, &row.name)?;
    let kept = row.clone();
    app.tools
        .try_in_site(move |site| site.add_server(&kept))
        .await?;
    let token = TokenSource::Text(row.token.clone());
    let keeper = keeper::keep(row.clone(), token, app.tools.clone());
    let look_now = keeper.look_now.clone();
    let view = keeper.view.clone();
    app.keepers().insert(row.name.clone(), keeper);
    let values = vec!["an administrator".to_owned(), row.name.clone(), row.url];
    app.tools.desk.raise(9440, Some(&row.name), values).await;
    wait_for_look(look_now).await;
    Ok((StatusCode::CREATED, Json(view.get())))
}

fn must_fit(app: &App, name: &str) -> Result<(), Refusal> {
    let keepers = app.keepers();
    if keepers.contains_key(name) {
        return Err(Refusal::new(
            Code::ServerExists,
            format!("a metering server named {name} is watched already: choose another name"),
        ));
    }
    if keepers.len() >= SERVERS_LIMIT {
        return Err(Refusal::invalid(format!(
            "{SERVERS_LIMIT} servers are watched, which is the limit: remove one first"
        )));
    }
    Ok(())
}

fn check(request: &WatchRequest) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = &request.name;
    let sound = (1..=64).contains(&name.len())
        && name.chars().all(plain)
        && name.chars().any(|c| c.is_ascii_alphanumeric());
    if !sound {
        return Err(Refusal::invalid(
            "a name has 1 to 64 letters, digits, dots, dashes and underscores",
        ));
    }
    check_url(&request.url).map_err(|why| Refusal::invalid(format!("`url` {why}")))?;
    if request.url.len() > 255 {
        return Err(Refusal::invalid(
            "`url` is too long: give at most 255 bytes",
        ));
    }
    let token = &request.token;
    if !(1..=255).contains(&token.len()) || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Refusal::invalid(
            "token is not one: `usher token create --role viewer` makes one",
        ));
    }
    let unit = request.unit.as_deref().unwrap_or("x");
    let unit_sound = (1..=255).contains(&unit.len())
        && !unit.starts_with('-')
        && unit.chars().all(|c| plain(c) || "@:\\".contains(c));
    if !unit_sound {
        return Err(Refusal::invalid(
            "unit is not the name of one, such as usher-server.service",
        ));
    }
    match &request.data {
        Some(data) if !data.starts_with('/') => Err(Refusal::invalid(
            "data is a directory of the manager's computer, from / on",
        )),
        _ => Ok(()),
    }
}

/// One server.
#[utoipa::path(
    get,
    path = "/v1/servers/{name}",
    responses(
        (status = 200, body = WatchedServer),
        (status = 404, description = "`unknown_server`", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Id(name): Id,
) -> Result<Json<WatchedServer>, Refusal> {
    let keepers = app.keepers();
    let keeper = keepers.get(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(keeper.view.get()))
}

/// Watches one no longer. Its messages stay.
#[utoipa::path(
    delete,
    path = "/v1/servers/{name}",
    responses(
        (status = 204),
        (status = 404, description = "`unknown_server`", body = Problem),
    ),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Id(name): Id,
) -> Result<StatusCode, Refusal> {
    let row = name.clone();
    let kept = app
        .tools
        .try_in_site(move |site| site.remove_server(&row))
        .await?;
    let watched = app.keepers().remove(&name).is_some();
    if !kept && !watched {
        return Err(unknown(&name));
    }
    let values = vec!["an administrator".to_owned(), name.clone()];
    app.tools.desk.raise(9441, Some(&name), values).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Looks at one now, and answers what it has seen.
#[utoipa::path(
    post,
    path = "/v1/servers/{name}/poll",
    responses(
        (status = 200, body = WatchedServer),
        (status = 404, description = "`unknown_server`", body = Problem),
    ),
)]
pub(crate) async fn poll(
    State(app): State<Arc<App>>,
    Id(name): Id,
) -> Result<Json<WatchedServer>, Refusal> {
    let (look_now, view) = {
        let keepers = app.keepers();
        let keeper = keepers.get(&name).ok_or_else(|| unknown(&name))?;
        (keeper.look_now.clone(), keeper.view.clone())
    };
    wait_for_look(look_now).await;
    Ok(Json(view.get()))
}

async fn wait_for_look(look_now: tokio::sync::mpsc::Sender<keeper::LookNow>) {
    let (tell, told) = oneshot::channel();
    if look_now.send(tell).await.is_ok() {
        // A keeper that was removed meanwhile answers nothing: what it saw last is shown.
        let _ = told.await;
    }
}

fn unknown(name: &str) -> Refusal {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    Refusal::new(
        Code::UnknownServer,
        format!("no metering server named {shown} is watched: GET /v1/servers lists them"),
    )
}
