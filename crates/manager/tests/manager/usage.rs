//! `GET /v1/usage` of a manager beside servers that a test plays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::imports;
use crate::support::{Manager, play, send, until};

/// The last event of a server as long as nothing is added.
pub(crate) const HEAD: u64 = 100;

/// What a server has.
#[derive(Clone, Default)]
pub(crate) struct Has {
    id: String,
    pub(crate) history: Vec<Value>,
    /// None: it refuses to say what runs.
    leases: Option<Vec<Value>>,
    sessions: Vec<Value>,
    pub(crate) entitlements: Vec<Value>,
}

pub(crate) type Played = Arc<Mutex<Has>>;

async fn played(has: &Played) -> String {
    let health = || async { Json(json!({ "status": "ok" })) };
    let canary = || async { Json(json!({ "seated": true, "took_seconds": 0.001 })) };
    let taken = || async { Json(json!({})) };
    let routes = Router::new()
        .route("/v1/health", get(health))
        .route("/v1/canary", post(canary))
        .route("/v1/facts", get(facts))
        .route("/v1/history", get(history))
        .route("/v1/history/consumers/{name}", put(taken))
        .route("/v1/leases", get(leases))
        .route("/v1/sessions", get(sessions))
        .route("/v1/entitlements", get(entitlements))
        .route("/v1/products/{id}", get(no_product))
        .with_state(has.clone());
    play(routes).await
}

async fn facts(State(has): State<Played>) -> Json<Value> {
    Json(
        json!({ "at": "2026-11-25T10:00:00Z", "resident_bytes": 5, "answered_requests": 1,
        "disk": null, "backup": { "last_at": null, "data_since": "2026-11-25T09:00:00Z" },
        "ending_entitlements": [], "products": [], "computers": 0, "agents": [],
        "quiet_rules": [], "server_id": has.lock().unwrap().id }),
    )
}

/// What came after the event that the cursor names.
async fn history(
    State(has): State<Played>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    let has = has.lock().unwrap().clone();
    let after = query
        .get("after")
        .map(|after| after.parse::<u64>().unwrap());
    let event = |item: &Value| item["event"].as_u64().unwrap();
    let head = has.history.iter().map(event).max().unwrap_or(0).max(HEAD);
    let is_new = |item: &Value| event(item) > after.unwrap_or(0);
    let items: Vec<Value> = has.history.into_iter().filter(is_new).collect();
    let people = ["ann", "bob"]
        .map(|name| json!({ "id": name, "realm": "usher", "account": name, "name": name }));
    let computers = ["pc1", "pc2"].map(|name| json!({ "id": name, "key": name, "name": name }));
    Json(json!({
        "server_id": has.id, "incarnation": 7, "began_after": null,
        "from": after.map(|event| json!({ "incarnation": 7, "event": event })),
        "items": items, "people": people, "computers": computers, "cursor": head.to_string(),
        "through_incarnation": 7, "through_event": head, "head_event": head,
    }))
}

fn page(items: Vec<Value>) -> Response {
    Json(json!({ "items": items, "next": null })).into_response()
}

async fn leases(State(has): State<Played>) -> Response {
    let Some(leases) = has.lock().unwrap().leases.clone() else {
        let body = json!({ "type": "about:blank", "title": "Forbidden", "status": 403,
            "code": "forbidden", "detail": "refused here" });
        return (StatusCode::FORBIDDEN, Json(body)).into_response();
    };
    page(leases)
}

async fn sessions(State(has): State<Played>) -> Response {
    page(has.lock().unwrap().sessions.clone())
}

async fn no_product() -> Response {
    let body = json!({ "type": "about:blank", "title": "No such product", "status": 404,
        "code": "unknown_product", "detail": "there is no product of that id" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

async fn entitlements(State(has): State<Played>) -> Response {
    page(has.lock().unwrap().entitlements.clone())
}

fn ended(event: u64, kind: &str, person: &str, more: Value) -> Value {
    let mut item = json!({ "kind": kind, "event": event, "incarnation": 7, "product": "cad",
        "person": person, "computer": "pc1", "key": { "incarnation": 7, "event": event - 1 },
        "seats": 1, "with": null, "retry": false });
    let fields = more.as_object().unwrap().clone();
    item.as_object_mut().unwrap().extend(fields);
    item
}

pub(crate) fn lease(event: u64, person: &str, seats: u64, from: &str, to: &str) -> Value {
    let more = json!({ "seats": seats, "program": null, "session": null, "kept": false,
        "granted_at": from, "ended_at": to, "held_seconds": 60.0, "cause": "checked_in",
        "ticket": null });
    ended(event, "lease", person, more)
}

pub(crate) fn denial(event: u64, person: &str, at: &str, count: u64) -> Value {
    let more = json!({ "reason": "no_seat", "count": count, "retries": count - 1, "waits": false,
        "first_at": at, "last_at": at });
    ended(event, "denial", person, more)
}

fn wait(event: u64, at: &str, waited_seconds: f64) -> Value {
    let more = json!({ "priority": 0, "outcome": "granted", "reason": null, "lease": null,
        "queued_at": at, "decided_at": null, "waited_seconds": waited_seconds });
    ended(event, "wait", "bob", more)
}

fn session(event: u64, person: &str, from: &str, to: &str) -> Value {
    let more = json!({ "key": { "computer": "pc1", "incarnation": 1, "session": event },
        "program": "cad.bin", "version": null, "real_person": null, "started_at": from,
        "ended_at": to, "duration_seconds": 60.0, "unseated_seconds": 0.0,
        "lease": { "incarnation": 7, "event": 9 } });
    ended(event, "session", person, more)
}

fn entitlement(product: &str, seats: u64) -> Value {
    json!({ "id": "e1", "product": product, "metric": "concurrent", "seats": seats,
        "overdraft": 0, "from": null, "to": null, "in_use": 0, "allotment": "a1" })
}

pub(crate) async fn watched(manager: &Manager, name: &str, has: &Played) {
    let body = json!({ "name": name, "url": played(has).await, "token": "t" });
    let request = manager.request("POST", "/v1/servers", &manager.token());
    let (status, added) = send(request.json(&body)).await;
    assert_eq!(status, 201, "{added}");
    collected(manager, name, HEAD).await;
}

pub(crate) async fn collected(manager: &Manager, name: &str, event: u64) {
    let path = format!("/v1/servers/{name}/poll");
    until("the history to be collected", async || {
        let request = manager.request("POST", &path, &manager.token());
        let (_, seen) = send(request.json(&json!({}))).await;
        let is_there = seen["history"]["through_event"] == event && seen["server_id"].is_string();
        is_there.then_some(())
    })
    .await;
}

async fn usage(manager: &Manager, query: &str) -> (u16, Value) {
    let path = format!("/v1/usage?{query}");
    send(manager.request("GET", &path, &manager.token())).await
}

async fn found(manager: &Manager, query: &str) -> Value {
    let (status, page) = usage(manager, query).await;
    assert_eq!(status, 200, "{page}");
    page
}

fn each<'a>(page: &'a Value, field: &str) -> Vec<&'a Value> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| &item[field]).collect()
}

/// One server with two days of use of a product, and another product that is only owned.
pub(crate) fn some_use() -> Played {
    Arc::new(Mutex::new(Has {
        id: "s-1".to_owned(),
        history: vec![
            lease(10, "ann", 2, "2024-10-26T21:30:00Z", "2024-10-26T23:00:00Z"),
            session(12, "ann", "2024-10-26T21:30:00Z", "2024-10-26T23:00:00Z"),
            lease(20, "bob", 1, "2024-10-26T22:10:00Z", "2024-10-26T22:20:00Z"),
            denial(30, "bob", "2024-10-26T22:00:00Z", 3),
            denial(32, "ann", "2024-10-27T12:00:00Z", 1),
            wait(40, "2024-10-26T22:01:00Z", 90.0),
        ],
        leases: Some(Vec::new()),
        entitlements: vec![entitlement("cad", 5), entitlement("idle", 3)],
        ..Has::default()
    }))
}

#[tokio::test]
async fn use_is_answered_by_the_days_of_a_zone_with_those_that_are_empty() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    let query = "product=cad&grain=day&from=2024-10-26T20:00:00Z&to=2024-10-28T23:30:00Z\
                 &time_zone=Europe/Berlin";
    let page = found(&manager, query).await;
    assert_eq!(page["time_zone"], "Europe/Berlin");
    assert_eq!(page["next"], Value::Null);
    let begins = [
        "2024-10-26T20:00:00Z",
        "2024-10-26T22:00:00Z",
        // It had 25 hours.
        "2024-10-27T23:00:00Z",
        "2024-10-28T23:00:00Z",
    ];
    assert_eq!(each(&page, "from"), begins);
    assert_eq!(page["items"][3]["to"], "2024-10-28T23:30:00Z");
    assert_eq!(each(&page, "peak"), [2, 3, 0, 0]);
    assert_eq!(each(&page, "users"), [1, 2, 0, 0]);
    // No session held bob's lease, so it is one.
    assert_eq!(each(&page, "sessions"), [1, 2, 0, 0]);
    assert_eq!(each(&page, "open_seconds"), [1_800.0, 4_200.0, 0.0, 0.0]);
    assert_eq!(each(&page, "owned"), [5, 5, 5, 5]);
    let day = &page["items"][1];
    assert_eq!(day["peak_at"], "2024-10-26T22:10:00Z");
    assert_eq!(
        day["denials"],
        json!({ "final": 1, "satisfied_later": 1, "retries": 2 })
    );
    assert_eq!(day["waits"]["count"], 1);
    assert_eq!(day["waits"]["p95_seconds"], 90.0);
    assert_eq!(
        (&day["counted"], &day["provisional"]),
        (&"here".into(), &false.into())
    );
    assert_eq!(day["active_seconds"], Value::Null);
    assert_eq!(page["items"][2]["peak_at"], Value::Null);
    let as_of = &page["as_of"][0];
    let event = (&as_of["server"], &as_of["incarnation"], &as_of["event"]);
    assert_eq!(event, (&"alpha".into(), &7.into(), &100.into()));
    assert!(as_of["time"].is_string(), "{as_of}");
    assert_eq!(page["cut"], json!([]));
    // The same by the names of other lists, and as one stretch.
    let query = "product=cad&since=2024-10-27&until=2024-10-27&time_zone=Europe/Berlin";
    let whole = found(&manager, query).await;
    assert_eq!(each(&whole, "peak"), [3]);
    assert_eq!(whole["items"][0]["to"], "2024-10-27T23:00:00Z");
    let earlier = found(&manager, "product=cad&from=2023-01-01&to=2024-10-27").await;
    assert_eq!(earlier["cut"][0]["what"], "history");
    assert_eq!(earlier["cut"][0]["before"], "2024-10-26T00:00:00Z");
}

#[tokio::test]
async fn what_still_runs_counts_up_to_now() {
    let has = some_use();
    let now = jiff::Timestamp::now();
    let (granted, started) = (
        now - jiff::SignedDuration::from_mins(90),
        now - jiff::SignedDuration::from_mins(30),
    );
    {
        let mut has = has.lock().unwrap();
        has.leases = Some(vec![
            json!({ "id": "L00000007-70", "product": "cad", "user": "ann",
            "computer": "pc1", "seats": 4, "granted_at": granted, "expires_at": now,
            "ttl_seconds": 300 }),
        ]);
        has.sessions = vec![json!({ "id": "S1", "product": "cad", "program": "cad.bin",
            "user": "bob", "authority": "usher", "computer": "pc2", "started_at": started,
            "ended_at": null, "duration_seconds": 1_800, "unseated_seconds": 0, "lease": null })];
    }
    let manager = Manager::start();
    watched(&manager, "alpha", &has).await;
    let from = now - jiff::SignedDuration::from_hours(1);
    let page = found(&manager, &format!("product=cad&from={from}")).await;
    let item = &page["items"][0];
    assert_eq!(
        (&item["peak"], &item["users"], &item["sessions"]),
        (&5.into(), &2.into(), &1.into())
    );
    assert_eq!(item["unseated_sessions"], 1);
    assert_eq!(item["provisional"], true);
    assert!(item["open_seconds"].as_f64().unwrap() >= 1_800.0, "{item}");
    // It has ended, and is in the history and, for a moment, in the server's answer.
    let ended_at = now - jiff::SignedDuration::from_mins(80);
    let mut ended = lease(
        HEAD + 1,
        "ann",
        4,
        &granted.to_string(),
        &ended_at.to_string(),
    );
    ended["key"]["event"] = 70.into();
    has.lock().unwrap().history.push(ended);
    collected(&manager, "alpha", HEAD + 1).await;
    let page = found(&manager, &format!("product=cad&from={from}")).await;
    assert_eq!(page["items"][0]["peak"], 1, "{page}");
    assert_eq!(page["cut"], json!([]));
    has.lock().unwrap().leases = None;
    let page = found(&manager, &format!("product=cad&from={from}")).await;
    let cut = json!([{ "what": "running on alpha", "why": "refused here", "before": null }]);
    assert_eq!(page["cut"], cut);
}

#[tokio::test]
async fn use_that_other_licence_servers_counted_is_apart_from_what_is_counted_here() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    let id = imports::begin(&manager, "lic1").await;
    let (noon, one) = ("2024-10-27T12:00:00Z", "2024-10-27T13:00:00Z");
    let used = |key: &str| {
        let mut used = imports::used(key);
        used["product"] = "cad".into();
        used["started_at"] = noon.into();
        used["ended_at"] = one.into();
        used
    };
    let denial = json!({ "key": "d", "row": "denial", "product": "cad", "user": "bob",
        "computer": "pc1", "at": "2024-10-27T12:30:00Z", "seats": 1, "reason": "no_seat",
        "words": "Licensed number of users already reached" });
    let (status, taken) = imports::rows(&manager, &id, 1, &[used("a"), used("b"), denial]).await;
    assert_eq!(status, 200, "{taken}");
    let query = "product=cad&from=2024-10-27T11:00:00Z&to=2024-10-27T13:30:00Z";
    let page = found(&manager, query).await;
    assert_eq!(each(&page, "counted"), ["here"], "it is not finished");
    let mut summary = imports::summary();
    summary["from"] = noon.into();
    summary["to"] = one.into();
    let body = json!({ "bodies": 1, "summary": summary });
    let path = format!("/v1/imports/{id}/finish");
    let (status, answer) = imports::ask(&manager, "POST", &path, Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    let page = found(&manager, query).await;
    assert_eq!(each(&page, "counted"), ["here", "elsewhere"]);
    assert_eq!(each(&page, "peak"), [0, 2]);
    assert_eq!(each(&page, "sessions"), [0, 2]);
    assert_eq!(each(&page, "users"), [0, 1]);
    assert_eq!(each(&page, "open_seconds"), [0.0, 7_200.0]);
    assert_eq!(each(&page, "owned"), [&json!(5), &Value::Null]);
    assert_eq!(each(&page, "unobserved_seconds"), [0.0, 5_400.0]);
    // Ann was refused here, and bob there.
    let refused = json!({ "final": 1, "satisfied_later": 0, "retries": 0 });
    assert_eq!(each(&page, "denials"), [&refused, &refused]);
    assert_eq!(page["items"][1]["peak_at"], noon);
    assert_eq!(page["cut"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(
        page["cut"][0]["what"],
        "history of lic1 (counted elsewhere)"
    );
    let first = found(&manager, &format!("{query}&limit=1")).await;
    let next = first["next"].as_str().unwrap();
    let second = found(&manager, &format!("{query}&limit=1&cursor={next}")).await;
    assert_eq!(
        (&first["items"][0], &second["items"][0]),
        (&page["items"][0], &page["items"][1])
    );
    let all = found(&manager, &format!("from={noon}&to={one}")).await;
    let counted = each(&all, "counted");
    assert_eq!(each(&all, "product"), ["cad", "cad", "idle"]);
    assert_eq!(counted, ["here", "elsewhere", "here"]);
    assert_eq!(
        all["cut"],
        json!([]),
        "the import tells of all of that time"
    );
}

#[tokio::test]
async fn pages_together_are_the_whole() {
    let manager = Manager::start();
    watched(&manager, "alpha", &some_use()).await;
    let query = "grain=hour&from=2024-10-26T20:30:00Z&to=2024-10-27T01:30:00Z&time_zone=UTC";
    let whole = found(&manager, query).await;
    let products = each(&whole, "product");
    assert_eq!(products.len(), 12);
    assert_eq!((products[0], products[6]), (&"cad".into(), &"idle".into()));
    assert_eq!(each(&whole, "owned")[6..], [3; 6]);
    let mut items: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = found(&manager, &format!("{query}&limit=5{cursor}")).await;
        let page_items = page["items"].as_array().unwrap();
        assert!((1..=5).contains(&page_items.len()), "{page}");
        items.extend(page_items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(Value::Array(items), whole["items"]);
}

#[tokio::test]
async fn of_what_is_not_known_there_are_zeros_and_what_is_wrong_is_refused() {
    let manager = Manager::start();
    let page = found(&manager, "product=cad&from=2024-10-26&to=2024-10-26").await;
    assert_eq!(each(&page, "peak"), [0]);
    assert_eq!(each(&page, "owned"), [0]);
    assert_eq!(page["as_of"], json!([]));
    let all = found(&manager, "grain=month").await;
    assert_eq!(all["items"], json!([]));
    for (query, word) in [
        ("grain=year", "grain"),
        ("time_zone=Nowhere/Town", "time_zone"),
        ("from=2024-10-27&to=2024-10-26", "`to` is not after `from`"),
        ("from=2024-10-26&since=2024-10-27", "`since`"),
        ("from=yesterday", "`from` is yesterday"),
        ("cursor=7", "cursor"),
        ("limit=1001", "`limit`"),
        ("grain=hour&from=1900-01-01", "coarser grain"),
        ("granularity=hour", "granularity"),
    ] {
        let (status, problem) = usage(&manager, query).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &"invalid_request".into()),
            "{query}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{query}: {detail}");
    }
    let (_, described) = send(manager.request("GET", "/openapi.json", "")).await;
    assert!(described["paths"]["/v1/usage"]["get"].is_object());
}
