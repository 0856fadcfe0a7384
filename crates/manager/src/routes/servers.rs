//! `/v1/servers`: the watched metering servers.

mod request;

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use hyper::StatusCode;
use tokio::sync::{mpsc, oneshot};
use usher_api::{Code, Page, Problem, WatchChange, WatchRequest, WatchedServer};
use usher_http::input::{self, Id};
use usher_site::ServerRow;

use self::request::{changed, check};
use crate::app::{App, SERVERS_LIMIT};
use crate::clock::wall_ms;
use crate::logged::or_log;
use crate::problem::Refusal;
use crate::tokens::TokenSource;
use crate::view::View;
use crate::{facts, server_watch};

/// The watched servers, by name.
#[utoipa::path(get, path = "/v1/servers", responses((status = 200, body = Page<WatchedServer>)))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Json<Page<WatchedServer>> {
    let mut items: Vec<WatchedServer> = app
        .watches()
        .values()
        .map(|watch| watch.view.get())
        .collect();
    for it in &mut items {
        it.same_as = app.tools.identities.same_as(&it.name);
    }
    Json(Page {
        items,
        next: None,
        only: None,
        time: None,
    })
}

/// A server with its present state.
fn seen(app: &App, view: &View) -> WatchedServer {
    let mut seen = view.get();
    seen.same_as = app.tools.identities.same_as(&seen.name);
    seen
}

/// Adds a server to watch.
#[utoipa::path(
    post,
    path = "/v1/servers",
    request_body = WatchRequest,
    responses(
        (status = 201, body = WatchedServer),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 409, description = "`server_exists`: a server of that name, or the same server under another name", body = Problem),
    ),
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<(StatusCode, Json<WatchedServer>), Refusal> {
    let request: WatchRequest = input::json(&body)?;
    let row = ServerRow {
        name: request.name,
        url: request.url,
        token: request.token,
        unit: request.unit,
        data: request.data,
        added_ms: wall_ms(),
    };
    check(&row)?;
    must_fit(&app, &row.name)?;
    must_be_another(&app, &row).await?;
    let changing = app.changing.lock().await;
    must_fit(&app, &row.name)?;
    app.tools.site.watch(row.clone()).await?;
    let (looked, view) = put_watch(&app, &row, None);
    drop(changing);
    let values = vec!["an administrator".to_owned(), row.name.clone(), row.url];
    app.tools
        .dispatcher
        .raise(9440, Some(&row.name), values)
        .await;
    wait_for(looked).await;
    Ok((StatusCode::CREATED, Json(seen(&app, &view))))
}

/// Starts the watch of a server; answers a signal for its first poll, and its view. `before`: what
/// an earlier watch of the same server saw last.
fn put_watch(
    app: &App,
    row: &ServerRow,
    before: Option<&WatchedServer>,
) -> (Option<oneshot::Receiver<()>>, View) {
    let token = TokenSource::Text(row.token.clone());
    let mut watch = server_watch::keep(row.clone(), token, app.tools.clone(), before);
    let its = (watch.first_look.take(), watch.view.clone());
    app.watches().insert(row.name.clone(), watch);
    its
}

/// Refuses a manager, and a server that is already watched under another name, as far as they tell
/// who they are.
async fn must_be_another(app: &App, row: &ServerRow) -> Result<(), Refusal> {
    let prober = &app.tools.prober;
    let (is_manager, id) = tokio::join!(
        prober.is_manager(&row.url),
        facts::server_id(prober, &row.url, &row.token)
    );
    if is_manager {
        return Err(Refusal::invalid(format!(
            "what answers at {} is a manager, not a metering server: give the URL of the server, \
             whose port is usually 8470",
            row.url
        )));
    }
    let Some(id) = id else {
        return Ok(());
    };
    let watches = app.watches();
    let mut views = watches.values().map(|watch| watch.view.get());
    let same = views.find(|it| it.name != row.name && it.server_id.as_ref() == Some(&id));
    match same {
        None => Ok(()),
        Some(same) => Err(Refusal::new(
            Code::ServerExists,
            format!(
                "at {} is the metering server that is watched as {} already, and everything would \
                 be told twice: `usher servers edit` changes how it is watched, and `usher servers \
                 remove {}` ends that",
                row.url, same.name, same.name
            ),
        )),
    }
}

/// Refuses a token that the server at the URL does not accept, as far as a server answers there.
async fn must_be_taken(app: &App, row: &ServerRow) -> Result<(), Refusal> {
    let (name, url) = (&row.name, &row.url);
    match app.tools.prober.declines(name, url, &row.token).await {
        None => Ok(()),
        Some(why) => Err(Refusal::invalid(format!(
            "{name} is watched as before: the server at {url} was asked with the token, and {why}, \
             or send \"force\": true if it is meant"
        ))),
    }
}

/// Changes how a server is watched. Fields that are left out stay unchanged, as do its messages and
/// open trouble. A token that the server does not accept is refused, unless `force` is set or
/// nothing answers.
#[utoipa::path(
    patch,
    path = "/v1/servers/{name}",
    request_body = WatchChange,
    responses(
        (status = 200, body = WatchedServer),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 404, description = "`unknown_server`", body = Problem),
        (status = 409, description = "`server_exists`: the same server under another name", body = Problem),
    ),
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Id(name): Id,
    body: Bytes,
) -> Result<Json<WatchedServer>, Refusal> {
    let change: WatchChange = input::json(&body)?;
    let force = change.force;
    if !change.changes() {
        return Err(Refusal::invalid(
            "nothing is to change: give `url`, `token`, `unit` or `data`",
        ));
    }
    let changing = app.changing.lock().await;
    let Some(before) = app.tools.site.watched(name.clone()).await? else {
        return Err(match app.watches().contains_key(&name) {
            true => Refusal::invalid(
                "the server beside the manager is watched as `usher up` started it, and is not \
                 changed",
            ),
            false => Refusal::unknown_server(&name),
        });
    };
    let (row, changed) = changed(before.clone(), change);
    if changed.is_empty() {
        drop(changing);
        return poll(State(app), Id(name)).await;
    }
    check(&row)?;
    if (&row.url, &row.token) != (&before.url, &before.token) {
        must_be_another(&app, &row).await?;
        if !force {
            must_be_taken(&app, &row).await?;
        }
    }
    app.tools.site.change_watched(row.clone()).await?;
    let seen_before = app.watches().get(&name).map(|watch| watch.view.get());
    // At another address it may be another server: what was seen says nothing of it.
    let seen_before = seen_before.filter(|_| row.url == before.url);
    // Two watches would both write of its trouble.
    app.end_watch(&name).await;
    let (looked, view) = put_watch(&app, &row, seen_before.as_ref());
    drop(changing);
    let values = vec![
        "an administrator".to_owned(),
        name.clone(),
        changed.join(", "),
    ];
    app.tools.dispatcher.raise(9455, Some(&name), values).await;
    wait_for(looked).await;
    Ok(Json(seen(&app, &view)))
}

fn must_fit(app: &App, name: &str) -> Result<(), Refusal> {
    let watches = app.watches();
    if watches.contains_key(name) {
        return Err(Refusal::new(
            Code::ServerExists,
            format!("a metering server named {name} is watched already: choose another name"),
        ));
    }
    if watches.len() >= SERVERS_LIMIT {
        return Err(Refusal::invalid(format!(
            "{SERVERS_LIMIT} servers are watched, which is the limit: remove one first"
        )));
    }
    Ok(())
}

/// One watched server.
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
    let view = {
        let watches = app.watches();
        let watch = watches
            .get(&name)
            .ok_or_else(|| Refusal::unknown_server(&name))?;
        watch.view.clone()
    };
    Ok(Json(seen(&app, &view)))
}

/// Removes a watched server. Its messages stay; those of open trouble are closed.
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
    let changing = app.changing.lock().await;
    let unwatch = async || app.tools.site.unwatch(name.clone(), wall_ms()).await;
    let mut removed = unwatch().await?;
    let had_watch = app.end_watch(&name).await;
    if had_watch {
        // What its watch was just recording is over as well.
        let after = or_log(unwatch().await).unwrap_or_default();
        removed.closed.extend(after.closed);
    }
    drop(changing);
    if !removed.was_watched && !had_watch {
        return Err(Refusal::unknown_server(&name));
    }
    let values = vec![
        "an administrator".to_owned(),
        name.clone(),
        closed_with_it(removed.closed),
    ];
    app.tools.dispatcher.raise(9441, Some(&name), values).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Which messages the end of a watch closes, as the end of a sentence; empty: none was open.
fn closed_with_it(mut numbers: Vec<u16>) -> String {
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
    match &numbers[..] {
        [] => String::new(),
        [one] => format!("; message {one} about it is closed"),
        many => format!("; messages {} about it are closed", many.join(", ")),
    }
}

/// Polls a server now, and answers its state; its history is collected meanwhile.
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
        let watches = app.watches();
        let watch = watches
            .get(&name)
            .ok_or_else(|| Refusal::unknown_server(&name))?;
        watch.collect_now.notify_one();
        (watch.look_now.clone(), watch.view.clone())
    };
    wait_for_look(look_now).await;
    Ok(Json(seen(&app, &view)))
}

async fn wait_for_look(look_now: mpsc::Sender<server_watch::LookNow>) {
    let (tell, told) = oneshot::channel();
    if look_now.send(tell).await.is_ok() {
        wait_for(Some(told)).await;
    }
}

/// Waits for a poll. A watch that was removed meanwhile does not answer; its last view is shown.
async fn wait_for(looked: Option<oneshot::Receiver<()>>) {
    if let Some(looked) = looked {
        let _ = looked.await;
    }
}
