//! `/v1/messages` and `/v1/message-rules`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use usher_api::{CatalogueEntry, Code, Delivery, Page, Problem, StatusMessage, page_limit};
use usher_core::messages::{Action, CATALOGUE, Rule, Severity};
use usher_http::input::{self, Query};
use usher_site::MessageFilter;

use crate::app::App;
use crate::dispatch::shown;
use crate::problem::Refusal;

/// The longest wait for new messages, in seconds.
const WAIT_LIMIT_SECONDS: u64 = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageQuery {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    severity: Option<Severity>,
    component: Option<String>,
    id: Option<u16>,
    server: Option<String>,
    #[serde(default)]
    open: bool,
    after: Option<i64>,
    wait_seconds: Option<u64>,
    limit: Option<u32>,
    cursor: Option<i64>,
}

/// Messages, the newest first.
#[utoipa::path(
    get,
    path = "/v1/messages",
    params(
        ("since" = Option<String>, Query, description = "Only messages that were last raised at that time or later"),
        ("until" = Option<String>, Query, description = "Only messages that were first raised before that time"),
        ("severity" = Option<String>, Query, description = "Only messages of that severity or worse"),
        ("component" = Option<String>, Query, description = "Only messages of that component"),
        ("id" = Option<u16>, Query, description = "Only messages of that number"),
        ("server" = Option<String>, Query, description = "Only messages about that metering server"),
        ("open" = Option<bool>, Query, description = "Only messages about trouble that is still open"),
        ("after" = Option<i64>, Query, description = "Only records with a greater `record_id`"),
        ("wait_seconds" = Option<u64>, Query, description = "Seconds to wait for the first message: at most 60"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<StatusMessage>),
        (status = 400, description = "`invalid_request`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<MessageQuery>,
) -> Result<Json<Page<StatusMessage>>, Refusal> {
    let limit = page_limit(asked.limit).map_err(Refusal::invalid)?;
    let filter = MessageFilter {
        since_ms: asked.since.map(Timestamp::as_millisecond),
        until_ms: asked.until.map(Timestamp::as_millisecond),
        severity_at_least: asked.severity,
        component: asked.component,
        id: asked.id,
        server: asked.server,
        open: asked.open,
        below_record: asked.cursor,
        above_record: asked.after,
        limit,
    };
    let wait = Duration::from_secs(asked.wait_seconds.unwrap_or(0).min(WAIT_LIMIT_SECONDS));
    let until = tokio::time::Instant::now() + wait;
    let mut news = app.tools.dispatcher.news();
    loop {
        news.mark_unchanged();
        let rows = app.tools.site.messages(filter.clone()).await?;
        if !rows.is_empty() || tokio::time::Instant::now() >= until {
            let full = rows.len() >= limit as usize;
            let last = rows.last().filter(|_| full);
            return Ok(Json(Page {
                next: last.map(|row| row.record_id.to_string()),
                items: rows.iter().map(shown).collect(),
                only: None,
                time: None,
            }));
        }
        // An end of the wait is seen in the next round.
        let _ = tokio::time::timeout_at(until, news.changed()).await;
    }
}

/// The catalogue of messages: what each number means.
#[utoipa::path(
    get,
    path = "/v1/messages/catalogue",
    responses((status = 200, body = Page<CatalogueEntry>)),
)]
pub(crate) async fn catalogue() -> Json<Page<CatalogueEntry>> {
    let items = CATALOGUE
        .iter()
        .map(|entry| CatalogueEntry {
            id: entry.id,
            severity: entry.severity.name().to_owned(),
            kind: entry.kind.name().to_owned(),
            component: entry.component.to_owned(),
            origin: if entry.is_of_sms() {
                "SMS 2.0"
            } else {
                "Usher"
            }
            .to_owned(),
            text: entry.shown(),
            fields: entry.fields().iter().map(|&it| it.to_owned()).collect(),
            meaning: entry.meaning.to_owned(),
            check: entry.check.to_owned(),
            does: entry.does.to_owned(),
        })
        .collect();
    Json(Page {
        items,
        next: None,
        only: None,
        time: None,
    })
}

/// The message rules, in their order.
#[utoipa::path(get, path = "/v1/message-rules", responses((status = 200, body = serde_json::Value)))]
pub(crate) async fn rules(State(app): State<Arc<App>>) -> Json<serde_json::Value> {
    let rules = app.tools.dispatcher.rules();
    let why_not = app.tools.dispatcher.mail_why_not().await;
    Json(serde_json::json!({ "items": *rules, "next": null, "mail_why_not": why_not }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    items: Vec<Rule>,
    #[serde(default, rename = "next")]
    _next: Option<String>,
}

/// Replaces all message rules by these.
#[utoipa::path(
    put,
    path = "/v1/message-rules",
    request_body = serde_json::Value,
    responses(
        (status = 200, body = serde_json::Value),
        (status = 400, description = "`invalid_request`", body = Problem),
    ),
)]
pub(crate) async fn put_rules(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<serde_json::Value>, Refusal> {
    let Rules { items, .. } = input::json(&body)?;
    Rule::check_all(&items).map_err(|error| Refusal::invalid(error.to_string()))?;
    let held = app.tools.dispatcher.rules();
    // Those that are there already are left alone: a newer version may have put them.
    let new = items.iter().filter(|rule| !held.contains(rule));
    if let Some((rule, why)) = new.filter_map(|it| Some((it, it.names_none()?))).next() {
        return Err(Refusal::invalid(format!("rule \"{}\": {why}", rule.name)));
    }
    if let Some(why) = app.tools.dispatcher.missing(&items) {
        return Err(Refusal::invalid(why));
    }
    let forwards = |rule: &&Rule| {
        let is_forward = |action: &Action| matches!(action, Action::Forward { .. });
        rule.actions.iter().any(is_forward)
    };
    if let Some(rule) = items.iter().find(forwards) {
        return Err(Refusal::invalid(format!(
            "rule \"{}\" forwards, and this site has no parent to forward to",
            rule.name
        )));
    }
    app.tools.dispatcher.put_rules(items).await?;
    let values = vec!["an administrator".to_owned()];
    app.tools.dispatcher.raise(9442, None, values).await;
    Ok(rules(State(app)).await)
}

/// Destinations with waiting messages, and why deliveries fail there.
#[utoipa::path(
    get,
    path = "/v1/deliveries",
    responses(
        (status = 200, body = Page<Delivery>),
        (status = 503, description = "`not_leading`", body = Problem),
    ),
)]
pub(crate) async fn deliveries(
    State(app): State<Arc<App>>,
) -> Result<Json<Page<Delivery>>, Refusal> {
    // Only who delivers knows.
    app.led.must_be_us()?;
    Ok(Json(Page {
        items: app.tools.dispatcher.destinations(),
        next: None,
        only: None,
        time: None,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    rule: String,
}

/// Sends a test message by the actions of a rule, and reports how each delivery went.
#[utoipa::path(
    post,
    path = "/v1/message-rules/test",
    request_body = serde_json::Value,
    responses(
        (status = 200, description = "How each action of the rule went: `destination`, `why_not`, `for_good`", body = serde_json::Value),
        (status = 404, description = "`not_found`", body = Problem),
    ),
)]
pub(crate) async fn test_rule(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<serde_json::Value>, Refusal> {
    let Test { rule } = input::json(&body)?;
    match app.tools.dispatcher.test(&rule).await {
        Some(tested) => Ok(Json(serde_json::json!({ "items": tested, "next": null }))),
        None => Err(Refusal::new(
            Code::NotFound,
            "there is no rule of that name: `usher messages rules` lists all rules",
        )),
    }
}
