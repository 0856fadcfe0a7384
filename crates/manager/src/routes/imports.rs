//! `/v1/imports`: what other licence servers count. A file is read where it lies; here its rows come in.

mod request;
pub(crate) mod rows;
mod shown;

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use hyper::{HeaderMap, StatusCode};
use serde::Deserialize;
use usher_api::{
    Code, IMPORT_ROWS_LIMIT, Import, ImportAnswer, ImportCreate, ImportCreated, ImportFinish,
    ImportRows, ImportRowsTaken, ImportTold, Page, Problem, Role, Timestamp, page_limit,
};
use usher_http::REPLAYED;
use usher_http::input::{self, Id, Query};
use usher_site::{
    Begun, Finish, IMPORTS_LIMIT, ImportBatch, ImportEnd, ImportRecord, LIVE_IMPORTS_LIMIT,
    NewImport, OPEN_IMPORTS_LIMIT, RowsTaken,
};

use self::shown::{answer, kind_of, listed};
use crate::app::App;
use crate::asker::Asker;
use crate::clock::wall_ms;
use crate::problem::Refusal;
use crate::secrets::random_hex;

/// Imports, the newest first, without their answers.
#[utoipa::path(
    get,
    path = "/v1/imports",
    params(
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<Import>),
        (status = 400, description = "`invalid_request`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<PageQuery>,
) -> Result<Json<Page<Import>>, Refusal> {
    let limit = page_limit(asked.limit).map_err(Refusal::invalid)?;
    let below = input::place::<i64>(asked.cursor.as_deref())?;
    let records = app
        .tools
        .site
        .imports(below, limit.saturating_add(1))
        .await?;
    let shown = records.iter().take(limit as usize);
    let has_more = records.len() > limit as usize;
    let next = shown.clone().next_back().filter(|_| has_more);
    Ok(Json(Page {
        next: next.map(|record| record.number.to_string()),
        items: shown.map(listed).collect::<Result<_, _>>()?,
        only: None,
        time: None,
    }))
}

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Begins an import. Its rows count for nothing before it is finished; if it takes in nothing for a day
/// before that, it is removed. A live one counts from its first row on, and is ended if it takes in nothing
/// for a day. Several imports of one source may run side by side. One that brought nothing is forgotten a
/// day after its end if a later one of the same source and kind tells of its time. A token of role operator
/// suffices; to take one out, admin.
#[utoipa::path(
    post,
    path = "/v1/imports",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gets the first answer again, as long as the import is there")),
    request_body = ImportCreate,
    responses(
        (status = 201, body = ImportCreated),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 409, description = "`idempotency_conflict`", body = Problem),
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked: ImportCreate = input::json(&body)?;
    let request = request::of(&headers, &asker)?;
    let source = input::name("source", &asked.source)?.into_owned();
    if let Some(zone) = &asked.time_zone {
        input::name("time_zone", zone)?;
    }
    let id = random_hex(8).map_err(|error| {
        let why = format!("cannot make an id for the import: {error}");
        Refusal::new(Code::Internal, why)
    })?;
    let id = format!("i-{id}");
    let kind = asked.kind.word().to_owned();
    let new = NewImport {
        id: id.clone(),
        request,
        kind: kind.clone(),
        source: source.clone(),
        time_zone: asked.time_zone,
        at_ms: wall_ms(),
        live: asked.live,
    };
    match app.tools.site.begin_import(new).await? {
        Begun::New => {
            tracing::info!(import = id, kind, source, by = asker.id, "an import begins");
            Ok((StatusCode::CREATED, Json(ImportCreated { id })).into_response())
        }
        Begun::Again { id } => {
            let replayed = [(REPLAYED, "true")];
            let created = Json(ImportCreated { id });
            Ok((StatusCode::CREATED, replayed, created).into_response())
        }
        Begun::Other => Err(Refusal::new(
            Code::IdempotencyConflict,
            "this Idempotency-Key was used to begin another import: use a new key for a new \
             import, or repeat the first body",
        )),
        Begun::Full if asked.live => Err(Refusal::invalid(format!(
            "{LIVE_IMPORTS_LIMIT} live imports go on, which is the limit: end a watch and finish its \
             import first, as `GET /v1/imports` lists them"
        ))),
        Begun::TooMany => Err(Refusal::invalid(format!(
            "there are {IMPORTS_LIMIT} imports, which is the limit: take out those that are not \
             needed any more, as `GET /v1/imports` lists them"
        ))),
        Begun::Full => Err(Refusal::invalid(format!(
            "{OPEN_IMPORTS_LIMIT} imports are begun and not finished, which is the limit: finish or \
             remove one first, as `GET /v1/imports` lists them"
        ))),
    }
}

/// Takes rows into an import: all of a body, or none. A body of a number that was taken in is answered
/// again and adds nothing.
#[utoipa::path(
    post,
    path = "/v1/imports/{id}/rows",
    params(("id" = String, Path, description = "Import id")),
    request_body = ImportRows,
    responses(
        (status = 200, body = ImportRowsTaken),
        (status = 400, description = "`invalid_request`: no row of the body is taken in", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 404, description = "`unknown_import`", body = Problem),
        (status = 409, description = "`rows_missing`: a number was left out; `import_finished`", body = Problem),
        (status = 413, description = "`body_too_large`: over 1 MiB", body = Problem),
    ),
)]
pub(crate) async fn rows(
    State(app): State<Arc<App>>,
    Id(id): Id,
    body: Bytes,
) -> Result<Json<ImportRowsTaken>, Refusal> {
    let ImportRows { number, rows, told } = input::json(&body)?;
    if number == 0 {
        return Err(Refusal::invalid(
            "`number` is 0: bodies of rows are numbered from 1 on",
        ));
    }
    if rows.len() > IMPORT_ROWS_LIMIT {
        return Err(Refusal::invalid(format!(
            "`rows` has {} rows: give at most {IMPORT_ROWS_LIMIT} in one body",
            rows.len()
        )));
    }
    let batch = ImportBatch {
        id: id.clone(),
        number,
        at_ms: wall_ms(),
        rows: rows::checked(rows).map_err(Refusal::invalid)?,
        told_ms: told.map(told_ms).transpose()?,
    };
    match app.tools.site.import_rows(batch).await? {
        RowsTaken::Taken { next_number } => Ok(Json(ImportRowsTaken { next_number })),
        RowsTaken::Missing { next_number } => Err(Refusal::new(
            Code::RowsMissing,
            format!("body {number} came, and body {next_number} is next: send them in their order"),
        )),
        RowsTaken::Finished => Err(Refusal::new(
            Code::ImportFinished,
            "the import is finished and takes in no more rows: begin another one",
        )),
        RowsTaken::Unknown => Err(unknown(&id)),
    }
}

/// Finishes an import: what its rows say counts from now on. Repeated, it answers the same again.
#[utoipa::path(
    post,
    path = "/v1/imports/{id}/finish",
    params(("id" = String, Path, description = "Import id")),
    request_body = ImportFinish,
    responses(
        (status = 200, body = ImportAnswer),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 404, description = "`unknown_import`", body = Problem),
        (status = 409, description = "`rows_missing`: not as many bodies of rows came", body = Problem),
    ),
)]
pub(crate) async fn finish(
    State(app): State<Arc<App>>,
    Extension(asker): Extension<Asker>,
    Id(id): Id,
    body: Bytes,
) -> Result<Json<ImportAnswer>, Refusal> {
    let ImportFinish { bodies, summary } = input::json(&body)?;
    let known = app.tools.site.import(id.clone()).await?;
    let known = known.ok_or_else(|| unknown(&id))?;
    if summary.kind != kind_of(&known)? {
        return Err(Refusal::invalid(format!(
            "`kind` is {}, and the import was begun for {}: begin another one",
            summary.kind.word(),
            known.kind
        )));
    }
    let text = serde_json::to_string(&summary).map_err(|error| {
        let why = format!("cannot keep what was understood: {error}");
        Refusal::new(Code::Internal, why)
    })?;
    let end = ImportEnd {
        id: id.clone(),
        bodies,
        summary: text,
        from_ms: summary.from.map(Timestamp::as_millisecond),
        to_ms: summary.to.map(Timestamp::as_millisecond),
        at_ms: wall_ms(),
    };
    match app.tools.site.finish_import(end).await? {
        Finish::Done { import, is_new } => {
            if is_new {
                app.tools.counting.notify_one();
                told(&app, 9457, &import, &asker).await;
            }
            Ok(Json(answer(&import)?))
        }
        Finish::Missing { next_number } => Err(Refusal::new(
            Code::RowsMissing,
            format!(
                "`bodies` is {bodies}, and {} came: send the others, or say how many there are",
                next_number.saturating_sub(1)
            ),
        )),
        Finish::Unknown => Err(unknown(&id)),
    }
}

/// One import, with its answer if it is finished.
#[utoipa::path(
    get,
    path = "/v1/imports/{id}",
    params(("id" = String, Path, description = "Import id")),
    responses(
        (status = 200, body = Import),
        (status = 404, description = "`unknown_import`", body = Problem),
    ),
)]
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<Import>, Refusal> {
    let found = app.tools.site.import(id.clone()).await?;
    let found = found.ok_or_else(|| unknown(&id))?;
    let mut shown = listed(&found)?;
    // A live import that nobody finished has none.
    if found.finished_ms.is_some() && found.summary.is_some() {
        shown.answer = Some(answer(&found)?);
    }
    Ok(Json(shown))
}

/// Takes an import out: what it added counts no more, and what it completed is as it was before. Rows
/// that a later import found there already are taken out, too: import its file again.
#[utoipa::path(
    delete,
    path = "/v1/imports/{id}",
    params(("id" = String, Path, description = "Import id")),
    responses(
        (status = 204, description = "Its rows count no more"),
        (status = 403, description = "`forbidden`", body = Problem),
        (status = 404, description = "`unknown_import`: it may have been taken out already", body = Problem),
    ),
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(asker): Extension<Asker>,
    Id(id): Id,
) -> Result<StatusCode, Refusal> {
    let removed = app.tools.site.remove_import(id.clone()).await?;
    let removed = removed.ok_or_else(|| unknown(&id))?;
    app.tools.import_removed.notify_one();
    if removed.finished_ms.is_some() {
        app.tools.counting.notify_one();
        told(&app, 9458, &removed, &asker).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Of which times a live import tells so far.
fn told_ms(told: ImportTold) -> Result<(i64, i64), Refusal> {
    match told.from <= told.to {
        true => Ok((told.from.as_millisecond(), told.to.as_millisecond())),
        false => Err(Refusal::invalid("`told.to` is before `told.from`")),
    }
}

/// Tells what was done to an import. How many rows it had is in the log: the same of a source that is
/// imported again and again is one message, counted.
async fn told(app: &App, message: u16, import: &ImportRecord, asker: &Asker) {
    tracing::info!(
        import = import.id,
        kind = import.kind,
        source = import.source,
        by = asker.id,
        added = import.added,
        completed = import.completed,
        already_there = import.already_there,
        number = message,
        "an import was finished or taken out"
    );
    let who = match asker.role {
        Role::Admin => "an administrator",
        _ => "an operator",
    };
    let values = vec![who.to_owned(), import.kind.clone(), import.source.clone()];
    app.tools.dispatcher.raise(message, None, values).await;
}

fn unknown(id: &str) -> Refusal {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
    Refusal::new(
        Code::UnknownImport,
        format!(
            "there is no import {shown}: it was taken out, or not finished within a day. `GET \
             /v1/imports` lists all imports"
        ),
    )
}
